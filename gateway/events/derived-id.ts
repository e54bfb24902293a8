import { createHash } from 'node:crypto';

/** Ids of test events begin with this, ours and those of a gateway that sends to us. */
export const TEST_ID_PREFIX = 'evt_test_';

const DERIVED_ID_HEX_DIGITS = 32;

/**
 * An id for an event that came without one: the same bytes through the same source always give the same id,
 * so that a repeated payload is recognised as a duplicate.
 * @param source name of the source
 * @param raw the body exactly as received
 * @returns `evt_` and 32 hexadecimal digits
 */
export function derivedEventId(source: string, raw: Uint8Array): string {
  // The zero byte, which no source name contains, keeps ('ab', 'c') apart from ('a', 'bc').
  const digest = createHash('sha256').update(source).update('\0').update(raw).digest('hex');
  return `evt_${digest.slice(0, DERIVED_ID_HEX_DIGITS)}`;
}

/**
 * An id for a test event.
 * @param random text that is different each time, made by the caller
 */
export function testEventId(random: string): string {
  return `${TEST_ID_PREFIX}${random}`;
}

/** True for an id that marks its event as a test. */
export function isTestEventId(id: string | null | undefined): boolean {
  return typeof id === 'string' && id.startsWith(TEST_ID_PREFIX);
}
