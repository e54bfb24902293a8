import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../../gateway/simulate/random.ts';
import type { Ledger } from './ledger.ts';

/** When to kill next. */
export interface KillMoment {
  what: string;
  /** Resolves when it has come; counts from now. */
  come(): Promise<unknown>;
}

const MOST_ANSWERS = 300;
const MOST_ARRIVALS = 500;

/**
 * A moment in the life of a gateway that begins now. Two of ten while it starts; four right after an answer, when
 * what was just promised has to be there; four right after an arrival, when the gateway does not know yet that it
 * was taken.
 * @param startMs how long a start takes
 */
export function drawKillMoment(random: Random, startMs: number, ledger: Ledger): KillMoment {
  const kind = random.integer(1, 10);
  if (kind <= 2) {
    const afterMs = random.integer(0, startMs);
    return { what: `${afterMs} ms after the start`, come: () => pause(afterMs) };
  }
  if (kind <= 6) {
    const count = random.integer(1, MOST_ANSWERS);
    return { what: `after ${count} answers`, come: () => ledger.afterAnswers(count) };
  }
  const count = random.integer(1, MOST_ARRIVALS);
  return { what: `after ${count} arrivals`, come: () => ledger.afterArrivals(count) };
}
