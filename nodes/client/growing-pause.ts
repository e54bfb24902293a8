import { setTimeout as sleep } from 'node:timers/promises';

/** How to wait; passed in so that tests need not. Rejects when the signal aborts. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

/** Waits by the machine's clock. */
export const realWait: Wait = (ms, signal) => sleep(ms, undefined, { signal });

/** The longest pause between two tries, in milliseconds. */
export const LONGEST_PAUSE_MS = 10_000;

/**
 * How long to pause before the next try: it doubles from a quarter of a second up to ten seconds, and a random
 * part of up to half is taken off, so that many Node-REDs do not come back at the same moment.
 * @param failures how many tries failed so far, from 1.
 */
export function growingPauseMs(failures: number, random: () => number): number {
  const fullMs = Math.min(LONGEST_PAUSE_MS, 250 * 2 ** Math.min(failures - 1, 10));
  return Math.round(fullMs * (1 - random() / 2));
}
