import type { InspectedRequest } from '../services.ts';
import { MES_HEADER, mesScheme } from '../signing/mes.ts';
import { SigningError } from '../signing/signing-error.ts';
import { STANDARD_SIGNATURE_HEADER, standardScheme } from '../signing/standard.ts';
import type { IncomingHeaders, Verification } from '../signing/verification.ts';

/** An endpoint that delivers to a bin; its keys are the ones a signature there can be made with. */
export interface SigningEndpoint {
  id: string;
  /** The one in use first, then those being rotated out. */
  secrets: readonly string[];
  /** Verifies its `v1a` signatures, `whpk_…`; absent where it makes none. */
  publicKey?: string;
}

/** What has to be known of a request to check its signatures. */
export interface RequestToCheck {
  /** The bytes as they came. */
  body: Uint8Array;
  /** Lower-case names. */
  headers: IncomingHeaders;
  nowSeconds: number;
}

/**
 * Checks the signatures that a request carries the way its receiver would, and says in plain words what is wrong.
 * Right is a request that carries at least one signature and no wrong one.
 * @param endpoints those that deliver to the bin
 * @returns null where none does: then there is no key to check with
 */
export function checkSignatures(
  request: RequestToCheck,
  endpoints: readonly SigningEndpoint[],
): InspectedRequest['signature'] {
  if (endpoints.length === 0) return null;
  const present = SIGNATURES.filter(({ isIn }) => isIn(request.headers));
  if (present.length === 0) {
    return {
      valid: false,
      schemes: [],
      message: `The request is not signed: it has neither ${MES_HEADER} nor ${STANDARD_SIGNATURE_HEADER}.`,
    };
  }
  const results = present.map((signature) => ({
    scheme: signature.scheme,
    ...checkSignature(signature, request, endpoints),
  }));
  const wrong = new Set(results.filter(({ valid }) => !valid).map(({ scheme }) => scheme));
  const schemes = new Set(results.map(({ scheme }) => scheme).filter((scheme) => !wrong.has(scheme)));
  return {
    valid: wrong.size === 0,
    schemes: [...schemes],
    // What is wrong with the time, say, is wrong for every signature.
    message: [...new Set(results.map(({ message }) => message))].join(' '),
  };
}

/** A signature that we make, and how its receiver checks it. */
interface SignatureKind {
  scheme: 'mes' | 'standard';
  /** Begins a sentence about it. */
  name: string;
  isIn: (headers: IncomingHeaders) => boolean;
  keysOf: (endpoint: SigningEndpoint) => readonly string[];
  /** Names a key by its place in `keysOf`. */
  keyName: (index: number) => string;
  verify: (request: RequestToCheck, key: string) => Verification;
  /** What to say where no endpoint has a key for it. */
  noKey: string;
}

const V1A_MISMATCH = `The v1a signature in ${STANDARD_SIGNATURE_HEADER} does not match: check that the public key is the endpoint's own and that the raw body is signed, before any parsing.`;

const SIGNATURES: readonly SignatureKind[] = [
  {
    scheme: 'mes',
    name: MES_HEADER,
    isIn: (headers) => headers[MES_HEADER] !== undefined,
    keysOf: ({ secrets }) => secrets,
    keyName: nameSecret,
    verify: (request, secret) => mesScheme.verify({ ...request, secrets: [secret] }),
    noKey: noSecretFor(MES_HEADER),
  },
  {
    scheme: 'standard',
    name: STANDARD_SIGNATURE_HEADER,
    isIn: (headers) =>
      headers[STANDARD_SIGNATURE_HEADER] !== undefined && (lists(headers, 'v1') || !lists(headers, 'v1a')),
    keysOf: ({ secrets }) => secrets,
    keyName: nameSecret,
    verify: (request, secret) => standardScheme.verify({ ...request, secrets: [secret] }),
    noKey: noSecretFor(STANDARD_SIGNATURE_HEADER),
  },
  {
    scheme: 'standard',
    name: `The v1a signature in ${STANDARD_SIGNATURE_HEADER}`,
    isIn: (headers) => lists(headers, 'v1a'),
    keysOf: ({ publicKey }) => (publicKey === undefined ? [] : [publicKey]),
    keyName: () => 'the ed25519 key',
    verify: (request, publicKey) => {
      const verification = standardScheme.verify({ ...request, secrets: [], publicKeys: [publicKey] });
      return verification.valid || verification.reason !== 'signature_mismatch'
        ? verification
        : { ...verification, message: V1A_MISMATCH };
    },
    noKey: `The v1a signature in ${STANDARD_SIGNATURE_HEADER} cannot be made with any key in use here: switch ed25519 on for the endpoint.`,
  },
];

function lists(headers: IncomingHeaders, version: 'v1' | 'v1a'): boolean {
  const entries = String(headers[STANDARD_SIGNATURE_HEADER] ?? '').split(' ');
  return entries.some((entry) => entry.startsWith(`${version},`));
}

function nameSecret(index: number): string {
  return index === 0 ? 'the secret' : 'an older secret, still valid,';
}

function noSecretFor(header: string): string {
  return `The signature in ${header} cannot be made with any secret in use here: give the endpoint a secret of whsec_ and base64.`;
}

function checkSignature(
  { name, keysOf, keyName, verify, noKey }: SignatureKind,
  request: RequestToCheck,
  endpoints: readonly SigningEndpoint[],
): { valid: boolean; message: string } {
  let message = noKey;
  for (const endpoint of endpoints) {
    for (const [index, key] of keysOf(endpoint).entries()) {
      const verification = verifyWith(() => verify(request, key));
      if (verification === null) continue;
      if (verification.valid) {
        return { valid: true, message: `${name} is right, made with ${keyName(index)} of ${endpoint.id}.` };
      }
      ({ message } = verification);
    }
  }
  return { valid: false, message };
}

/** @returns null where the scheme has no use for the key */
function verifyWith(verify: () => Verification): Verification | null {
  try {
    return verify();
  } catch (error) {
    if (error instanceof SigningError) return null;
    throw error;
  }
}
