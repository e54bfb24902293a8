import { timingSafeEqual } from 'node:crypto';

/**
 * Compares two texts in a time that depends on their lengths only.
 *
 * Signatures are compared in their encoded form: base64 has several spellings of the same bytes
 * (the last character's spare bits), and only the one that we would write is accepted.
 */
export function isEqualText(given: string, expected: string): boolean {
  if (given.length !== expected.length) return false;
  const givenBytes = Buffer.from(given);
  const expectedBytes = Buffer.from(expected);
  // Of equal length as text, but not as UTF-8: `timingSafeEqual` would throw.
  return givenBytes.length === expectedBytes.length && timingSafeEqual(givenBytes, expectedBytes);
}
