/**
 * Header names in lower case and what came with them, as Node's `request.headers` gives them.
 * An array means that the header came more than once.
 */
export type IncomingHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Why a signature was not accepted. Stable: shown in logs, in the console and by `hookline verify`. */
export type RejectionReason =
  | 'missing_signature'
  | 'missing_timestamp'
  | 'missing_id'
  | 'repeated_header'
  | 'oversized_header'
  | 'malformed_signature'
  | 'malformed_timestamp'
  | 'malformed_id'
  | 'too_many_signatures'
  | 'unsupported_version'
  | 'timestamp_too_old'
  | 'timestamp_too_new'
  | 'signature_mismatch';

export interface Acceptance {
  valid: true;
  /** Which key matched: its place among the secrets (or public keys) as they were given, from 0. */
  keyIndex: number;
  /** The time the sender signed, Unix seconds; `null` where the scheme signs none or its age does not matter. */
  timestampSeconds: number | null;
}

export interface Rejection {
  valid: false;
  reason: RejectionReason;
  /** One plain sentence with the remedy; holds nothing of the secret, the body or the expected signature. */
  message: string;
}

export type Verification = Acceptance | Rejection;

/** The longest header value that is looked at, in characters. Sixteen ed25519 signatures take 1,472. */
export const MAX_HEADER_CHARS = 4096;

/** The most signatures in one header; two secrets in two versions make four. */
export const MAX_SIGNATURES = 16;

export function accept(keyIndex: number, timestampSeconds: number | null): Acceptance {
  return { valid: true, keyIndex, timestampSeconds };
}

export function reject(reason: RejectionReason, message: string): Rejection {
  return { valid: false, reason, message };
}

/** None of the keys makes the signature that came. */
export function rejectMismatch(header: string): Rejection {
  return reject(
    'signature_mismatch',
    `The signature in ${header} does not match: check that both sides hold the same secret and that the raw body is signed, before any parsing.`,
  );
}

/**
 * Reads a header that must come exactly once.
 * @param missing the reason given where it is absent or empty.
 */
export function readSingleHeader(
  headers: IncomingHeaders,
  name: string,
  missing: 'missing_signature' | 'missing_timestamp' | 'missing_id',
): string | Rejection {
  const value: unknown = headers[name];
  if (Array.isArray(value)) {
    return reject('repeated_header', `The header ${name} came more than once: send it once.`);
  }
  // Anything else that is not text comes from the object's prototype (`constructor`), not from the sender.
  if (typeof value !== 'string' || value === '') {
    return reject(
      missing,
      `The header ${name} is missing: check that the sender signs with this scheme and that no proxy drops it.`,
    );
  }
  if (value.length > MAX_HEADER_CHARS) {
    return reject(
      'oversized_header',
      `The header ${name} is longer than ${MAX_HEADER_CHARS} characters: send only the signatures of the secrets in use.`,
    );
  }
  return value;
}
