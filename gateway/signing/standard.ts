import { createHmac, createSecretKey, sign as signBytes, verify as verifyBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { findMatchingKey, requireSecrets } from './hmac.ts';
import { defineScheme } from './scheme.ts';
import type { Verifier, VerifierOptions } from './scheme.ts';
import { isPrivateKey, parsePrivateKey, parsePublicKey, parseSecret } from './secret.ts';
import { SigningError } from './signing-error.ts';
import { parseStandardSignatures } from './standard-signatures.ts';
import type { StandardVersion } from './standard-signatures.ts';
import { checkFreshness, DEFAULT_TOLERANCE_SECONDS, parseTimestamp, timestampToSign } from './timestamp.ts';
import { accept, readSingleHeader, reject, rejectMismatch } from './verification.ts';
import { isWebhookId } from './webhook-id.ts';

/** The headers of Standard Webhooks. */
export const STANDARD_ID_HEADER = 'webhook-id';
export const STANDARD_TIMESTAMP_HEADER = 'webhook-timestamp';
export const STANDARD_SIGNATURE_HEADER = 'webhook-signature';

/**
 * Makes the value of `webhook-signature`.
 * @param id as `webhookIdHeader` returns it; not checked again here.
 * @param timestampSeconds whole Unix seconds of this attempt.
 */
export type StandardSigner = (id: string, timestampSeconds: number, body: string | Uint8Array) => string;

/**
 * A signer for Standard Webhooks that lists one signature per secret, in their order: `v1` for `whsec_…`, `v1a` for
 * `whsk_…`. During a rotation give both secrets.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * @throws SigningError where a secret cannot be used to sign, or there is none.
 */
export function prepareStandardSigner(secrets: readonly string[]): StandardSigner {
  requireSecrets(secrets);
  const entries = secrets.map(prepareEntry);
  const [only] = entries;
  if (only !== undefined && entries.length === 1) {
    return (id, timestampSeconds, body) => only(`${id}.${timestampSeconds}.`, body);
  }
  return (id, timestampSeconds, body) => {
    const before = `${id}.${timestampSeconds}.`;
    return entries.map((entry) => entry(before, body)).join(' ');
  };
}

/**
 * A verifier for Standard Webhooks. With public keys it demands `v1a` and does not look at the secrets, unless
 * `acceptVersions` says otherwise.
 * @throws SigningError where a key that counts cannot be used, or there is none.
 */
export function prepareStandardVerifier(options: VerifierOptions): Verifier {
  const { secrets, publicKeys = [], toleranceSeconds = DEFAULT_TOLERANCE_SECONDS } = options;
  const versions: readonly StandardVersion[] =
    options.acceptVersions ?? (publicKeys.length > 0 ? ['v1a'] : ['v1']);
  const secretKeys = versions.includes('v1')
    ? secrets.map((secret) => createSecretKey(parseSecret(secret)))
    : [];
  const ed25519Keys = versions.includes('v1a') ? publicKeys.map(parsePublicKey) : [];
  requireKeys(versions, { v1: secretKeys, v1a: ed25519Keys });

  return ({ body, headers, nowSeconds }) => {
    const id = readSingleHeader(headers, STANDARD_ID_HEADER, 'missing_id');
    if (typeof id !== 'string') return id;
    const time = readSingleHeader(headers, STANDARD_TIMESTAMP_HEADER, 'missing_timestamp');
    if (typeof time !== 'string') return time;
    const value = readSingleHeader(headers, STANDARD_SIGNATURE_HEADER, 'missing_signature');
    if (typeof value !== 'string') return value;
    // With a `.` in the id the borders of the signed content could be moved without changing it.
    if (!RECEIVED_ID.test(id)) {
      return reject(
        'malformed_id',
        `The header ${STANDARD_ID_HEADER} is not an id: send visible ASCII without a dot.`,
      );
    }
    const timestampSeconds = parseTimestamp(time, 'seconds', STANDARD_TIMESTAMP_HEADER);
    if (typeof timestampSeconds !== 'number') return timestampSeconds;
    const stale = checkFreshness(timestampSeconds, nowSeconds, toleranceSeconds);
    if (stale !== null) return stale;
    const signatures = parseStandardSignatures(value, versions, STANDARD_SIGNATURE_HEADER);
    if ('valid' in signatures) return signatures;

    const before = `${id}.${time}.`;
    if (signatures.v1.length > 0) {
      const keyIndex = findMatchingKey(secretKeys, signatures.v1, (key) => hmacBase64(key, before, body));
      if (keyIndex >= 0) return accept(keyIndex, timestampSeconds);
    }
    if (signatures.v1a.length > 0) {
      const content = signedBytes(before, body);
      const keyIndex = ed25519Keys.findIndex((key) =>
        signatures.v1a.some((signature) => verifyBytes(null, content, key, signature)),
      );
      if (keyIndex >= 0) return accept(keyIndex, timestampSeconds);
    }
    return rejectMismatch(STANDARD_SIGNATURE_HEADER);
  };
}

/** Standard Webhooks 1.0.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`; versions `v1` and `v1a`. */
export const standardScheme = defineScheme({
  name: 'standard',
  headers: () => ({
    signature: STANDARD_SIGNATURE_HEADER,
    timestamp: STANDARD_TIMESTAMP_HEADER,
    id: STANDARD_ID_HEADER,
  }),
  prepareSigner({ secrets }) {
    const sign = prepareStandardSigner(secrets);
    return ({ body, id, timestamp }) => {
      if (id === undefined || !isWebhookId(id)) {
        throw new SigningError(
          'ID_INVALID',
          'The id to sign must be an HTTP token without a dot, of at most 200 characters: pass it through webhookIdHeader.',
        );
      }
      const time = timestampToSign(timestamp, 'seconds');
      return {
        [STANDARD_ID_HEADER]: id,
        [STANDARD_TIMESTAMP_HEADER]: time,
        [STANDARD_SIGNATURE_HEADER]: sign(id, Number(time), body),
      };
    };
  },
  prepareVerifier: prepareStandardVerifier,
});

// Visible ASCII but for `.`; wider than what we send, because others' ids are theirs.
const RECEIVED_ID = /^[\x21-\x2d\x2f-\x7e]+$/;

function prepareEntry(secret: string): (before: string, body: string | Uint8Array) => string {
  if (isPrivateKey(secret)) {
    const key = parsePrivateKey(secret);
    return (before, body) => `v1a,${signBytes(null, signedBytes(before, body), key).toString('base64')}`;
  }
  const key = createSecretKey(parseSecret(secret));
  return (before, body) => `v1,${hmacBase64(key, before, body)}`;
}

function hmacBase64(key: KeyObject, before: string, body: string | Uint8Array): string {
  return createHmac('sha256', key).update(before).update(body).digest('base64');
}

// ed25519 takes its message whole, it has no way to go on where it stopped.
function signedBytes(before: string, body: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(before), typeof body === 'string' ? Buffer.from(body) : body]);
}

function requireKeys(versions: readonly StandardVersion[], keys: Record<StandardVersion, KeyObject[]>): void {
  for (const version of versions) {
    if (keys[version].length > 0) continue;
    throw new SigningError(
      'SECRET_MISSING',
      version === 'v1'
        ? 'No secret was given: give at least one whsec_.'
        : 'No public key was given: give a whpk_.',
    );
  }
  if (versions.length === 0) {
    throw new SigningError('SECRET_MISSING', 'No signature version is accepted: accept v1, v1a or both.');
  }
}
