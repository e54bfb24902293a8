import { isIPv6 } from 'node:net';
import type { Clock } from '../clock.ts';
import { HooklineError } from '../errors.ts';

/** Slows down whoever tries keys, per address. */
export interface BadKeyLimit {
  /**
   * Counts a wrong key.
   * @throws RATE_LIMITED where the address has had its share for this minute
   */
  countBad(address: string): void;
  /**
   * Lets a right key pass. While an address is limited only the keys pass that were used from there before: guessing
   * gets no answer, and a misconfigured program does not lock out its neighbours behind the same address.
   * @throws RATE_LIMITED
   */
  letPass(address: string, keyId: string): void;
}

/** @returns a limit of ten wrong keys a minute per address (IPv6: per /64), in bounded memory */
export function createBadKeyLimit(clock: Clock): BadKeyLimit {
  const visitors = new Map<string, Visitor>();

  const visitorAt = (address: string): Visitor => {
    const network = networkOf(address);
    const known = visitors.get(network);
    if (known !== undefined) return known;
    if (visitors.size >= MAX_VISITORS) {
      const oldest = visitors.keys().next();
      if (oldest.done !== true) visitors.delete(oldest.value);
    }
    const visitor: Visitor = { windowStartedAt: 0, bad: 0, keyIds: new Set() };
    visitors.set(network, visitor);
    return visitor;
  };

  const refuseIfLimited = (visitor: Visitor): void => {
    const waitMs = visitor.windowStartedAt + WINDOW_MS - clock.now();
    if (visitor.bad < MAX_BAD || waitMs <= 0) return;
    const retryAfterSeconds = Math.ceil(waitMs / 1000);
    throw new HooklineError(
      'RATE_LIMITED',
      `Too many wrong keys came from this address: wait ${retryAfterSeconds} s and check the key.`,
      { details: { retryAfterSeconds } },
    );
  };

  return {
    countBad(address) {
      const visitor = visitorAt(address);
      refuseIfLimited(visitor);
      const now = clock.now();
      if (now - visitor.windowStartedAt >= WINDOW_MS) {
        visitor.windowStartedAt = now;
        visitor.bad = 0;
      }
      visitor.bad += 1;
    },
    letPass(address, keyId) {
      const visitor = visitorAt(address);
      if (visitor.keyIds.has(keyId)) return;
      refuseIfLimited(visitor);
      if (visitor.keyIds.size < MAX_KEYS_PER_VISITOR) visitor.keyIds.add(keyId);
    },
  };
}

interface Visitor {
  windowStartedAt: number;
  bad: number;
  /** Keys that were right from here. */
  keyIds: Set<string>;
}

const WINDOW_MS = 60_000;
const MAX_BAD = 10;
const MAX_VISITORS = 4096;
const MAX_KEYS_PER_VISITOR = 64;

/** Whoever has one IPv6 address has all of its /64. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const after = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length);
  const all = [...groups, ...Array<string>(zeros).fill('0'), ...after];
  return all.slice(0, 4).join(':');
}
