import type { KeyObject } from 'node:crypto';
import { findMatchingKey, hexHmac, isHexSha256 } from './hmac.ts';
import { checkFreshness, parseTimestamp } from './timestamp.ts';
import type { TimestampUnit } from './timestamp.ts';
import { accept, MAX_SIGNATURES, readSingleHeader, reject, rejectMismatch } from './verification.ts';
import type { IncomingHeaders, Rejection, Verification } from './verification.ts';

/** What a `t=…,v1=…` header is checked against. */
export interface TimestampedCheck {
  headers: IncomingHeaders;
  /** The header's name, lower case. */
  header: string;
  keys: readonly KeyObject[];
  /** What is signed after `<t>.`: the raw body, or an address. */
  content: string | Uint8Array;
  unit: TimestampUnit;
  nowSeconds: number;
  toleranceSeconds: number | null;
}

/** Makes `t=<time>,v1=<hex>`, one `v1` for each key. */
export function signTimestamped(
  keys: readonly KeyObject[],
  time: string,
  content: string | Uint8Array,
): string {
  return `t=${time}${keys.map((key) => `,v1=${hexHmac(key, `${time}.`, content)}`).join('')}`;
}

/** Checks the header that Stripe and MaintainX share: `t=<time>,v1=<hex>[,v1=<hex>]`; other pairs are ignored. */
export function verifyTimestamped(check: TimestampedCheck): Verification {
  const value = readSingleHeader(check.headers, check.header, 'missing_signature');
  if (typeof value !== 'string') return value;
  const parts = parseTimestampedHeader(value, check.header);
  if ('valid' in parts) return parts;
  const timestampSeconds = parseTimestamp(parts.time, check.unit, check.header);
  if (typeof timestampSeconds !== 'number') return timestampSeconds;
  const stale = checkFreshness(timestampSeconds, check.nowSeconds, check.toleranceSeconds);
  if (stale !== null) return stale;
  // The literal text of the time is signed, whatever its unit.
  const sign = (key: KeyObject): string => hexHmac(key, `${parts.time}.`, check.content);
  const keyIndex = findMatchingKey(check.keys, parts.signatures, sign);
  return keyIndex < 0 ? rejectMismatch(check.header) : accept(keyIndex, timestampSeconds);
}

function parseTimestampedHeader(
  value: string,
  header: string,
): { time: string; signatures: string[] } | Rejection {
  const pairs = value.split(',', MAX_SIGNATURES + 2);
  if (pairs.length > MAX_SIGNATURES + 1) {
    return reject(
      'too_many_signatures',
      `The header ${header} holds more than ${MAX_SIGNATURES} signatures: send only those of the secrets in use.`,
    );
  }
  const times: string[] = [];
  const signatures: string[] = [];
  let isCurrentVersion = false;
  for (const pair of pairs) {
    const text = pair.trim();
    if (text.startsWith('t=')) times.push(text.slice(2));
    if (!text.startsWith('v1=')) continue;
    isCurrentVersion = true;
    const signature = text.slice(3);
    if (isHexSha256(signature)) signatures.push(signature);
  }
  const [time] = times;
  if (time === undefined) {
    return reject('missing_timestamp', `The header ${header} has no time: send t=<Unix seconds>,v1=<hex>.`);
  }
  // Which of two times was signed would be a guess.
  if (times.length > 1) {
    return reject(
      'malformed_timestamp',
      `The header ${header} has more than one time: send one t=<Unix seconds>.`,
    );
  }
  if (signatures.length === 0) {
    return isCurrentVersion
      ? reject(
          'malformed_signature',
          `The header ${header} has no whole signature: send v1= and 64 lower-case hex characters.`,
        )
      : reject(
          'unsupported_version',
          `The header ${header} has no v1 signature: send t=<Unix seconds>,v1=<hex>.`,
        );
  }
  return { time, signatures };
}
