import type { HmacDigest, HmacEncoding } from './hmac.ts';
import type { IncomingHeaders, Verification } from './verification.ts';

export type SchemeName = 'mes' | 'standard' | 'maintainx' | 'slack' | 'github' | 'stripe' | 'custom';

/** How a sender signs that follows none of the known schemes. */
export interface CustomOptions {
  /** The header that holds the signature; any case. */
  headerName: string;
  /** What stands before the signature in that header, e.g. `sha256=`. @default '' */
  prefix?: string | undefined;
  /** @default 'hex' */
  encoding?: HmacEncoding | undefined;
  /** @default 'sha256' */
  digest?: HmacDigest | undefined;
  /**
   * The signed content: text with the places `{timestamp}`, `{id}` and `{body}`; other braces are plain text.
   * Put a separator between the places, or a sender can move their border.
   * @default '{body}'
   */
  template?: string | undefined;
  /** Where `{timestamp}` comes from. @default 'webhook-timestamp' */
  timestampHeader?: string | undefined;
  /** Where `{id}` comes from. @default 'webhook-id' */
  idHeader?: string | undefined;
}

export interface SignerOptions {
  /**
   * The secrets to sign with, at least one. `standard` and `stripe` list a signature of each (rotation);
   * the schemes with room for one sign with the first, so the old secret goes first until the overlap ends.
   */
  secrets: readonly string[];
  /** Needed by, and only read by, the scheme `custom`. */
  custom?: CustomOptions | undefined;
}

export interface VerifierOptions {
  /** Any of them may have signed. At least one, but for a `standard` verifier that has public keys. */
  secrets: readonly string[];
  /** `standard` only: ed25519 keys, `whpk_…`. */
  publicKeys?: readonly string[] | undefined;
  /**
   * `standard` only: the versions that count.
   * @default ['v1a'] where there are public keys, else ['v1']
   */
  acceptVersions?: readonly ('v1' | 'v1a')[] | undefined;
  /**
   * How far the signed time may lie from now, in seconds, both ways, inclusive; `null` switches the check off.
   * Schemes that sign no time ignore it. @default 300
   */
  toleranceSeconds?: number | null | undefined;
  /** Needed by, and only read by, the scheme `custom`. */
  custom?: CustomOptions | undefined;
}

/** What to sign. A body given as text is signed as UTF-8. */
export interface MessageToSign {
  body: string | Uint8Array;
  /** Needed by `standard`, and by `custom` where the template names it. Header-safe: see `webhookIdHeader`. */
  id?: string | undefined;
  /** Unix seconds of this attempt (`maintainx` takes milliseconds too). Needed by every scheme that signs a time. */
  timestamp?: number | undefined;
  /** `maintainx` only: the full URI; where given, it is signed too. */
  uri?: string | undefined;
}

/** What was received. The body must be the bytes as they came. */
export interface SignedRequest {
  body: string | Uint8Array;
  headers: IncomingHeaders;
  /** Unix seconds; a fraction is dropped. */
  nowSeconds: number;
  /** `maintainx` only: the full URI as the sender called it; where given, its signature is demanded too. */
  uri?: string | undefined;
}

/**
 * Makes the headers that go with a message; names in lower case.
 * @throws SigningError `ID_INVALID`, `TIMESTAMP_INVALID`
 */
export type Signer = (message: MessageToSign) => Record<string, string>;

/** Checks a request. Never throws, whatever a sender sends. */
export type Verifier = (request: SignedRequest) => Verification;

/** The headers of a scheme, in lower case; `null` where it has none for the purpose. */
export interface SchemeHeaders {
  signature: string;
  timestamp: string | null;
  id: string | null;
}

/** One way to sign, the same for all. Prepare once and call often: preparing parses and caches the keys. */
export interface SignatureScheme {
  readonly name: SchemeName;
  /** @throws SigningError `CUSTOM_INVALID` */
  headers(custom?: CustomOptions): SchemeHeaders;
  /** @throws SigningError where the secrets or the custom options cannot be used. */
  prepareSigner(options: SignerOptions): Signer;
  /** @throws SigningError where the secrets or the custom options cannot be used. */
  prepareVerifier(options: VerifierOptions): Verifier;
  /** Prepares and signs once. @throws SigningError */
  sign(request: SignerOptions & MessageToSign): Record<string, string>;
  /** Prepares and verifies once. @throws SigningError for the settings, never for what was received. */
  verify(request: VerifierOptions & SignedRequest): Verification;
}

/** Completes a scheme with the forms that prepare and call at once. */
export function defineScheme(parts: Omit<SignatureScheme, 'sign' | 'verify'>): SignatureScheme {
  return {
    ...parts,
    sign: (request) => parts.prepareSigner(request)(request),
    verify: (request) => parts.prepareVerifier(request)(request),
  };
}
