import { createHash } from 'node:crypto';

/**
 * What is kept of a bearer secret: its SHA-256 as hex.
 *
 * A plain hash is right here, where a password would need a slow one: our secrets are 32 random bytes, so there is
 * nothing to guess from a list of likely ones. Looking a secret up by its hash takes no secret-dependent time
 * either: whoever measures how far a comparison got learns about hashes, which they cannot choose.
 */
export function hashBearerSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}
