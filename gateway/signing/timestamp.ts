import { SigningError } from './signing-error.ts';
import { reject } from './verification.ts';
import type { Rejection } from './verification.ts';

/** How far a signed time may lie from now, both ways, inclusive. */
export const DEFAULT_TOLERANCE_SECONDS = 300;

/** From here up a number is taken for milliseconds: as seconds it would be the year 33658. */
export const FIRST_MILLISECONDS = 1e12;

/** The unit a scheme's timestamps are in; `either` where the vendor does not say. */
export type TimestampUnit = 'seconds' | 'either';

// Decimal digits only, no sign, no leading zero, and few enough to stay exact as a number.
const INTEGER = /^(?:0|[1-9]\d{0,14})$/;

/**
 * Reads a time strictly: `123abc`, `1e9`, ` 1` and `01` are all refused.
 * @returns Unix seconds; a fraction where milliseconds were read.
 */
export function parseTimestamp(text: string, unit: TimestampUnit, header: string): number | Rejection {
  if (!INTEGER.test(text)) {
    return reject(
      'malformed_timestamp',
      `The timestamp in ${header} is not a whole number: send Unix seconds in decimal digits.`,
    );
  }
  const value = Number(text);
  return unit === 'either' && value >= FIRST_MILLISECONDS ? value / 1000 : value;
}

/**
 * Is the signed time near enough to now?
 * @param toleranceSeconds `null` switches the check off.
 * @returns `null` where it is, else why not.
 */
export function checkFreshness(
  timestampSeconds: number,
  nowSeconds: number,
  toleranceSeconds: number | null,
): Rejection | null {
  if (toleranceSeconds === null) return null;
  const ageSeconds = Math.floor(nowSeconds) - Math.floor(timestampSeconds);
  // Written so that NaN, from a caller's broken clock, is refused.
  if (Math.abs(ageSeconds) <= toleranceSeconds) return null;
  if (ageSeconds < 0) {
    const hint =
      timestampSeconds >= FIRST_MILLISECONDS
        ? 'it looks like milliseconds, send Unix seconds'
        : 'check the clocks of both machines';
    return reject(
      'timestamp_too_new',
      `The signed time is ${-ageSeconds} s ahead, more than the ${toleranceSeconds} s allowed: ${hint}.`,
    );
  }
  return reject(
    'timestamp_too_old',
    `The signed time is ${ageSeconds} s ago, more than the ${toleranceSeconds} s allowed: check the clocks of both machines, or sign each attempt anew.`,
  );
}

/**
 * The time to sign, as text.
 * @throws SigningError `TIMESTAMP_INVALID` where it is absent, not a whole number or in the wrong unit.
 */
export function timestampToSign(timestamp: number | undefined, unit: TimestampUnit): string {
  const limit = unit === 'seconds' ? FIRST_MILLISECONDS : 1e15;
  if (timestamp === undefined || !Number.isInteger(timestamp) || timestamp < 0 || timestamp >= limit) {
    throw new SigningError(
      'TIMESTAMP_INVALID',
      `The timestamp to sign must be a whole number of Unix seconds${unit === 'either' ? ' (or milliseconds)' : ''}.`,
    );
  }
  return String(timestamp);
}
