import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { decodeStrictBase64 } from './strict-base64.ts';
import { SigningError } from './signing-error.ts';

/** A source of randomness: that many bytes. */
export type RandomBytes = (size: number) => Uint8Array;

/** An ed25519 key pair in the spelling of Standard Webhooks. */
export interface SigningKeyPair {
  /** `whsk_` + base64 of seed and public key, 64 bytes. */
  privateKey: string;
  /** `whpk_` + base64 of the public key, 32 bytes. */
  publicKey: string;
}

/** How many random bytes our own secrets hold. */
export const SECRET_BYTES = 32;

/** What an imported secret may hold, in bytes; a published example has 18, so the specification's 24 is too many. */
export const MIN_SECRET_BYTES = 16;
export const MAX_SECRET_BYTES = 64;

/** A new secret: `whsec_` and 32 random bytes. */
export function generateSecret(random: RandomBytes = randomBytes): string {
  return formatSecret(random(SECRET_BYTES));
}

/** The text of a secret with these bytes. */
export function formatSecret(bytes: Uint8Array): string {
  return SECRET_PREFIX + Buffer.from(bytes).toString('base64');
}

/**
 * The key bytes of a symmetric Standard Webhooks secret: `whsec_` + base64, 16 to 64 bytes.
 * The prefix may be absent, as with the reference libraries; so may the padding.
 * @throws SigningError `SECRET_MISSING`, `SECRET_KIND`, `SECRET_ENCODING`, `SECRET_LENGTH`
 */
export function parseSecret(text: string): Uint8Array {
  if (text === '')
    throw new SigningError('SECRET_MISSING', 'The secret is empty: give one like whsec_ and base64.');
  if (text.startsWith(PUBLIC_PREFIX)) {
    throw new SigningError(
      'SECRET_KIND',
      'This is a public key (whpk_): it can only verify v1a, give a whsec_ secret.',
    );
  }
  if (text.startsWith(PRIVATE_PREFIX)) {
    throw new SigningError(
      'SECRET_KIND',
      'This is a private key (whsk_): it can only sign v1a, give a whsec_ secret.',
    );
  }
  const bytes = decodeStrictBase64(text.startsWith(SECRET_PREFIX) ? text.slice(SECRET_PREFIX.length) : text);
  if (bytes === null) {
    throw new SigningError(
      'SECRET_ENCODING',
      'The secret is not base64: copy it whole, whsec_ and the standard base64 alphabet, without spaces.',
    );
  }
  if (bytes.length < MIN_SECRET_BYTES || bytes.length > MAX_SECRET_BYTES) {
    throw new SigningError(
      'SECRET_LENGTH',
      `The secret holds ${bytes.length} bytes: give one of ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES}.`,
    );
  }
  return bytes;
}

/** A new ed25519 key pair. */
export function generateKeyPair(random: RandomBytes = randomBytes): SigningKeyPair {
  const seed = random(SEED_BYTES);
  const publicBytes = publicBytesOf(privateKeyOf(seed));
  return {
    privateKey: PRIVATE_PREFIX + Buffer.concat([seed, publicBytes]).toString('base64'),
    publicKey: PUBLIC_PREFIX + publicBytes.toString('base64'),
  };
}

/** Is it meant as an ed25519 private key? Says nothing about whether it can be used. */
export function isPrivateKey(text: string): boolean {
  return text.startsWith(PRIVATE_PREFIX);
}

/**
 * The key of `whsk_…`, to sign `v1a`.
 * @throws SigningError `SECRET_KIND`, `SECRET_ENCODING`, `SECRET_LENGTH`, `KEY_MISMATCH`
 */
export function parsePrivateKey(text: string): KeyObject {
  const bytes = decodeKey(text, PRIVATE_PREFIX, 'private', 2 * SEED_BYTES);
  const key = privateKeyOf(bytes.subarray(0, SEED_BYTES));
  if (!publicBytesOf(key).equals(bytes.subarray(SEED_BYTES))) {
    throw new SigningError(
      'KEY_MISMATCH',
      'The halves of the private key do not belong together: copy it whole.',
    );
  }
  return key;
}

/**
 * The key of `whpk_…`, to verify `v1a`.
 * @throws SigningError `SECRET_KIND`, `SECRET_ENCODING`, `SECRET_LENGTH`
 */
export function parsePublicKey(text: string): KeyObject {
  const bytes = decodeKey(text, PUBLIC_PREFIX, 'public', SEED_BYTES);
  return createPublicKey({ key: Buffer.concat([SPKI_HEADER, bytes]), format: 'der', type: 'spki' });
}

/** The `whpk_…` that belongs to a `whsk_…`. @throws as `parsePrivateKey` */
export function publicKeyOf(privateKey: string): string {
  return PUBLIC_PREFIX + publicBytesOf(parsePrivateKey(privateKey)).toString('base64');
}

const SECRET_PREFIX = 'whsec_';
const PRIVATE_PREFIX = 'whsk_';
const PUBLIC_PREFIX = 'whpk_';
const SEED_BYTES = 32;

// The fixed beginnings of an ed25519 key in DER, RFC 8410.
const PKCS8_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex');

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEADER, seed]), format: 'der', type: 'pkcs8' });
}

function publicBytesOf(privateKey: KeyObject): Buffer {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return der.subarray(SPKI_HEADER.length);
}

function decodeKey(text: string, prefix: string, kind: 'private' | 'public', length: number): Buffer {
  if (!text.startsWith(prefix)) {
    throw new SigningError('SECRET_KIND', `This is not a ${kind} key: give one that begins with ${prefix}.`);
  }
  const bytes = decodeStrictBase64(text.slice(prefix.length));
  if (bytes === null) {
    throw new SigningError(
      'SECRET_ENCODING',
      `The ${kind} key is not base64 after ${prefix}: copy it whole.`,
    );
  }
  if (bytes.length !== length) {
    throw new SigningError(
      'SECRET_LENGTH',
      `The ${kind} key holds ${bytes.length} bytes, not ${length}: copy it whole.`,
    );
  }
  return bytes;
}
