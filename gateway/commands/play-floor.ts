import { setTimeout as sleepFor } from 'node:timers/promises';

import { simulateShopFloor } from '../simulate/shop-floor.ts';
import { createSimulatedSender } from './simulated-sender.ts';
import type { Sent } from './simulated-sender.ts';

export interface PlayOptions {
  /** Of the gateway, without a slash at its end. */
  url: string;
  /** By source. */
  secrets: Readonly<Record<string, string>>;
  /** How many times faster than real time. */
  speed: number;
  /** null: until it is stopped. */
  count: number | null;
  seed: number;
  machines: number;
  /** The pause before each attempt, in the floor's time; one entry means that nothing is tried again. */
  pausesMs: readonly number[];
  /** Unix ms. */
  now: number;
  signal: AbortSignal;
  /** Called for each event when it is over. What it throws ends the play. */
  report: (sent: Sent) => void;
}

/** So many events may wait for an answer or their next attempt; the floor stands still meanwhile. */
const MOST_UNDER_WAY = 500;

const DAY_MS = 86_400_000;

/**
 * Lets the simulated floor run, compressed in time, and sends what it produces.
 * Without repetition each event waits for the answer to the one before.
 * @returns how many events were sent, when all are over or the signal has ended it.
 */
export async function playFloor(options: PlayOptions): Promise<number> {
  const { speed, count, pausesMs, signal, report } = options;
  const floor = { seed: options.seed, machines: options.machines };
  const sleep = (ms: number): Promise<unknown> => sleepFor(ms / speed, undefined, { signal });
  const send = createSimulatedSender({ url: options.url, secrets: options.secrets, pausesMs, sleep });
  const startAt = options.now - leadMs(floor, count, speed);
  const underWay = new Set<Promise<void>>();
  let produced = 0;
  let lastAt = startAt;
  try {
    for (const event of simulateShopFloor({ ...floor, startAt })) {
      await sleep(event.at - lastAt);
      lastAt = event.at;
      if (underWay.size >= MOST_UNDER_WAY) await Promise.race(underWay);
      const task = send(event).then(report);
      underWay.add(task);
      const forget = (): boolean => underWay.delete(task);
      task.then(forget, forget);
      produced += 1;
      if (pausesMs.length === 1) await task;
      if (produced === count) break;
    }
    await Promise.all(underWay);
  } catch (error) {
    if (!signal.aborted) throw error;
    await Promise.allSettled(underWay);
  }
  return produced;
}

/**
 * How far in the past the floor begins, so that its times are never in the future: the span of the events asked
 * for, else as much as a day of playing catches up with.
 */
function leadMs(floor: { seed: number; machines: number }, count: number | null, speed: number): number {
  if (speed <= 1) return 0;
  if (count === null) return DAY_MS * (speed - 1);
  let seen = 0;
  for (const { at } of simulateShopFloor({ ...floor, startAt: 0 })) {
    seen += 1;
    if (seen === count) return at;
  }
  return 0;
}
