import { createHmac, timingSafeEqual } from 'node:crypto';
import { findDigests } from './digest-candidates.ts';
import type { DigestCandidate } from './digest-candidates.ts';
import { contentVariants } from './content-variants.ts';
import type { ContentVariant } from './content-variants.ts';
import type { HmacDigest } from './hmac.ts';
import type { SignatureScheme } from './scheme.ts';
import { SCHEMES } from './schemes.ts';
import { SigningError } from './signing-error.ts';
import type { IncomingHeaders } from './verification.ts';

export interface DiagnosisInput {
  /** The bytes as they came. */
  body: Uint8Array;
  /** All headers of the request, names in lower case. */
  headers: IncomingHeaders;
  /** The secrets it may have been signed with, as the user typed them; the first four are tried. */
  secrets: readonly string[];
}

/**
 * Finds out how a request was signed whose scheme is unknown or does not match: tries the known schemes (whatever
 * the age of the request), then HMAC with SHA-256, 384 and 512 over likely contents with likely readings of the secret.
 *
 * For people who set up a source, never to accept a request. Bounded in headers, candidates and hashed bytes
 * (32 MiB, likeliest first), so that a large body cannot occupy the process.
 * @returns one plain name per variant that matches, likeliest first; empty where none does. Holds no secret.
 */
export function diagnoseSignature({ body, headers, secrets }: DiagnosisInput): string[] {
  const usable = secrets.filter((secret) => secret !== '').slice(0, MAX_SECRETS);
  const names = Object.values(SCHEMES)
    .filter((scheme) => scheme.name !== 'custom' && matches(scheme, { body, headers, secrets: usable }))
    .map((scheme) => `scheme ${scheme.name}`);
  const candidates = findDigests(headers);
  const keys = usable.flatMap((secret, index) =>
    keyVariants(secret, usable.length > 1 ? `secret ${index + 1}` : 'secret'),
  );
  let remainingBytes = MAX_HASHED_BYTES;
  for (const content of contentVariants(body, headers)) {
    for (const digest of DIGESTS) {
      const comparable = candidates.filter((candidate) => candidate.digest === digest);
      if (comparable.length === 0) continue;
      for (const key of keys) {
        // A short content costs about as much as a kilobyte of a long one.
        remainingBytes -= content.byteLength + 1024;
        if (remainingBytes < 0) return names;
        const expected = hmacOf(digest, key.bytes, content);
        for (const candidate of comparable) {
          if (timingSafeEqual(candidate.bytes, expected)) names.push(nameOf(candidate, content, key));
        }
      }
    }
  }
  return names;
}

interface KeyVariant {
  name: string;
  bytes: Buffer;
}

const DIGESTS: readonly HmacDigest[] = ['sha256', 'sha384', 'sha512'];
const MAX_SECRETS = 4;
const MAX_HASHED_BYTES = 32 * 1024 * 1024;

function matches(scheme: SignatureScheme, input: DiagnosisInput): boolean {
  return input.secrets.some((secret) => {
    try {
      const verify = scheme.prepareVerifier({ secrets: [secret], toleranceSeconds: null });
      return verify({ body: input.body, headers: input.headers, nowSeconds: 0 }).valid;
    } catch (error) {
      // A secret that this scheme cannot use was not used by the sender either.
      if (error instanceof SigningError) return false;
      throw error;
    }
  });
}

/** The ways in which a secret becomes key bytes, each different reading once. */
function keyVariants(secret: string, name: string): KeyVariant[] {
  const bare = secret.replace(/^wh(?:sec|sk)_/, '');
  const trimmed = secret.trim();
  const variants: KeyVariant[] = [
    { name: `${name} as text`, bytes: Buffer.from(secret) },
    { name: `${name} as text without the spaces around it`, bytes: Buffer.from(trimmed) },
    { name: `${name} as text with a line break after it`, bytes: Buffer.from(`${trimmed}\n`) },
    { name: `${name} as text without its whsec_`, bytes: Buffer.from(bare) },
    { name: `${name} decoded from base64`, bytes: Buffer.from(bare, 'base64') },
    {
      name: `${name} decoded from hex`,
      bytes: /^(?:[0-9a-f]{2})+$/i.test(trimmed) ? Buffer.from(trimmed, 'hex') : Buffer.alloc(0),
    },
  ];
  return variants.filter(
    (variant, index) =>
      variant.bytes.length > 0 && variants.findIndex((other) => other.bytes.equals(variant.bytes)) === index,
  );
}

function hmacOf(digest: HmacDigest, key: Buffer, content: ContentVariant): Buffer {
  const hmac = createHmac(digest, key);
  for (const part of content.parts) hmac.update(part);
  return hmac.digest();
}

function nameOf(candidate: DigestCandidate, content: ContentVariant, key: KeyVariant): string {
  const prefix = candidate.prefix === '' ? '' : ` after ${JSON.stringify(candidate.prefix)}`;
  return `${candidate.digest} in ${candidate.encoding}${prefix} in header ${candidate.header}, over ${content.name}, with the ${key.name}`;
}
