import { badInput } from '../errors.ts';
import { MAX_SECRET_BYTES, MIN_SECRET_BYTES, parseSecret } from '../signing/secret.ts';
import { SigningError } from '../signing/signing-error.ts';

/**
 * Checks a signing secret that somebody brings along: `whsec_` and base64, or, as older receivers have them, any
 * text of 16 to 64 bytes.
 * @throws BAD_USER_INPUT; the message does not hold the secret
 */
export function checkEndpointSecret(secret: unknown, field: string): string {
  if (typeof secret !== 'string') throw badInput(field, 'The secret must be text.');
  if (/^wh(?:sec|sk|pk)_/.test(secret)) {
    try {
      parseSecret(secret);
    } catch (error) {
      if (error instanceof SigningError) throw badInput(field, error.message);
      throw error;
    }
    return secret;
  }
  const bytes = Buffer.byteLength(secret, 'utf8');
  if (bytes < MIN_SECRET_BYTES || bytes > MAX_SECRET_BYTES || /\p{Cc}/u.test(secret)) {
    throw badInput(
      field,
      `The secret must be whsec_ and base64, or text of ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes without control characters; leave it out to have one made.`,
    );
  }
  return secret;
}

/** True where a secret can sign by Standard Webhooks; any other is good for the legacy signature alone. */
export function canSignStandard(secret: string): boolean {
  try {
    parseSecret(secret);
    return true;
  } catch (error) {
    if (error instanceof SigningError) return false;
    throw error;
  }
}
