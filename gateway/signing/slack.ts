import { findMatchingKey, firstSecret, hexHmac, isHexSha256, textKey, textKeys } from './hmac.ts';
import { defineScheme } from './scheme.ts';
import { checkFreshness, DEFAULT_TOLERANCE_SECONDS, parseTimestamp, timestampToSign } from './timestamp.ts';
import { accept, readSingleHeader, reject, rejectMismatch } from './verification.ts';

/** The headers of Slack's scheme. */
export const SLACK_SIGNATURE_HEADER = 'x-slack-signature';
export const SLACK_TIMESTAMP_HEADER = 'x-slack-request-timestamp';

const PREFIX = 'v0=';

/**
 * Slack: `v0=` and the hex HMAC-SHA256 of `v0:<timestamp>:<raw body>`; the signing secret is used as text.
 * @see https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
export const slackScheme = defineScheme({
  name: 'slack',
  headers: () => ({ signature: SLACK_SIGNATURE_HEADER, timestamp: SLACK_TIMESTAMP_HEADER, id: null }),
  prepareSigner({ secrets }) {
    const key = textKey(firstSecret(secrets));
    return ({ body, timestamp }) => {
      const time = timestampToSign(timestamp, 'seconds');
      return {
        [SLACK_TIMESTAMP_HEADER]: time,
        [SLACK_SIGNATURE_HEADER]: PREFIX + hexHmac(key, `v0:${time}:`, body),
      };
    };
  },
  prepareVerifier({ secrets, toleranceSeconds = DEFAULT_TOLERANCE_SECONDS }) {
    const keys = textKeys(secrets);
    return ({ body, headers, nowSeconds }) => {
      const given = readSingleHeader(headers, SLACK_SIGNATURE_HEADER, 'missing_signature');
      if (typeof given !== 'string') return given;
      const time = readSingleHeader(headers, SLACK_TIMESTAMP_HEADER, 'missing_timestamp');
      if (typeof time !== 'string') return time;
      const timestampSeconds = parseTimestamp(time, 'seconds', SLACK_TIMESTAMP_HEADER);
      if (typeof timestampSeconds !== 'number') return timestampSeconds;
      const stale = checkFreshness(timestampSeconds, nowSeconds, toleranceSeconds);
      if (stale !== null) return stale;
      const signature = given.slice(PREFIX.length);
      if (!given.startsWith(PREFIX) || !isHexSha256(signature)) {
        return reject(
          'malformed_signature',
          `The header ${SLACK_SIGNATURE_HEADER} is not a signature: send ${PREFIX} and 64 lower-case hex characters.`,
        );
      }
      const keyIndex = findMatchingKey(keys, [signature], (key) => hexHmac(key, `v0:${time}:`, body));
      return keyIndex < 0 ? rejectMismatch(SLACK_SIGNATURE_HEADER) : accept(keyIndex, timestampSeconds);
    };
  },
});
