import { findMatchingKey, firstSecret, hexHmac, isHexSha256, textKey, textKeys } from './hmac.ts';
import { defineScheme } from './scheme.ts';
import { accept, readSingleHeader, reject, rejectMismatch } from './verification.ts';

/** The header of GitHub's scheme; the older `x-hub-signature` (SHA-1) is not supported. */
export const GITHUB_HEADER = 'x-hub-signature-256';

const PREFIX = 'sha256=';

/**
 * GitHub: `sha256=` and the hex HMAC-SHA256 of the raw body; the secret is used as text. Signs no time.
 * @see https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
export const githubScheme = defineScheme({
  name: 'github',
  headers: () => ({ signature: GITHUB_HEADER, timestamp: null, id: null }),
  prepareSigner({ secrets }) {
    const key = textKey(firstSecret(secrets));
    return ({ body }) => ({ [GITHUB_HEADER]: PREFIX + hexHmac(key, '', body) });
  },
  prepareVerifier({ secrets }) {
    const keys = textKeys(secrets);
    return ({ body, headers }) => {
      const given = readSingleHeader(headers, GITHUB_HEADER, 'missing_signature');
      if (typeof given !== 'string') return given;
      const signature = given.slice(PREFIX.length);
      if (!given.startsWith(PREFIX) || !isHexSha256(signature)) {
        return reject(
          'malformed_signature',
          `The header ${GITHUB_HEADER} is not a signature: send ${PREFIX} and 64 lower-case hex characters.`,
        );
      }
      const keyIndex = findMatchingKey(keys, [signature], (key) => hexHmac(key, '', body));
      return keyIndex < 0 ? rejectMismatch(GITHUB_HEADER) : accept(keyIndex, null);
    };
  },
});
