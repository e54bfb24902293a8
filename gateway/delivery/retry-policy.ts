import type { ReceiverSign } from '../store/endpoint-gate.ts';
import type { AttemptOutcome, DeliveryStatus } from '../store/store.ts';

/** How an attempt ended, as far as the decision needs it. */
export interface AttemptEnd {
  outcome: AttemptOutcome;
  statusCode: number | null;
  /** What the receiver asked for, from the end of the attempt; null where it did not. */
  retryAfterMs: number | null;
  /** Unix ms. */
  endedAt: number;
}

export interface RetryState {
  /** Schedule steps used up before this attempt. */
  step: number;
  /** Delay before each attempt, ms, counted from the end of the one before. Never empty. */
  schedule: readonly number[];
  /** When the delivery was made, Unix ms. */
  createdAt: number;
}

export interface Decision {
  status: DeliveryStatus;
  /** Unix ms of the next attempt; null: none by itself. */
  dueAt: number | null;
  step: number;
  /** Stable code of why it stands there; null for success. */
  reason: string | null;
}

/** What an attempt says about its receiver, for the endpoint's rate and circuit. */
export function readSign({ outcome, statusCode, retryAfterMs }: AttemptEnd): ReceiverSign {
  if (outcome === 'SUCCESS') return { kind: 'success', restMs: null };
  const restMs = outcome === 'HTTP_STATUS' ? retryAfterMs : null;
  return { kind: statusCode === 429 ? 'throttled' : 'failure', restMs };
}

const DAY_MS = 86_400_000;

/** At once, 5 s, 30 s, 5 min, 30 min, then daily for 7 days: 12 attempts in all (decision C4). */
export const DEFAULT_SCHEDULE: readonly number[] = [
  0,
  5_000,
  30_000,
  300_000,
  1_800_000,
  ...Array<number>(7).fill(DAY_MS),
];

/** After this many failed attempts a delivery is called failed, though it goes on. */
export const ATTEMPTS_UNTIL_FAILED = 5;
const LONGEST_RETRY_AFTER_MS = DAY_MS;
/** A receiver that says "too many" but not for how long. */
const PAUSE_AFTER_429_MS = 30_000;
/** Retries spread out by up to this much later; never earlier than promised. */
const JITTER = 0.1;

/**
 * What becomes of a delivery after an attempt. Pure: time and randomness come in.
 * @param random a number from 0 up to 1
 */
export function decideNext(end: AttemptEnd, state: RetryState, random: number): Decision {
  const { step, schedule } = state;
  if (end.outcome === 'SUCCESS') return { status: 'SUCCEEDED', dueAt: null, step: step + 1, reason: null };
  const reason = reasonFor(end);
  if (end.outcome === 'REFUSED_BY_POLICY' || end.statusCode === 410) {
    return { status: 'REJECTED', dueAt: null, step: step + 1, reason };
  }
  const pauseMs = askedPause(end);
  if (pauseMs !== null && end.endedAt - state.createdAt < longestLife(schedule)) {
    // The receiver set the time: that uses up no step of the schedule.
    return { status: waitingStatus(step), dueAt: later(end.endedAt, pauseMs, random), step, reason };
  }
  const used = step + 1;
  const delayMs = schedule[used];
  if (delayMs === undefined) return { status: 'EXHAUSTED', dueAt: null, step: used, reason };
  return { status: waitingStatus(used), dueAt: later(end.endedAt, delayMs, random), step: used, reason };
}

function waitingStatus(usedSteps: number): DeliveryStatus {
  return usedSteps >= ATTEMPTS_UNTIL_FAILED ? 'FAILED' : 'RETRYING';
}

function askedPause({ outcome, statusCode, retryAfterMs }: AttemptEnd): number | null {
  if (outcome !== 'HTTP_STATUS') return null;
  if (retryAfterMs !== null) return Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS);
  return statusCode === 429 ? PAUSE_AFTER_429_MS : null;
}

/** A receiver that asks to wait for ever must not keep a delivery for ever: a week beyond the schedule is enough. */
function longestLife(schedule: readonly number[]): number {
  return schedule.reduce((total, delayMs) => total + delayMs, 7 * DAY_MS);
}

function later(from: number, delayMs: number, random: number): number {
  return Math.ceil(from + delayMs * (1 + JITTER * random));
}

function reasonFor({ outcome, statusCode }: AttemptEnd): string {
  if (statusCode === 410) return 'gone';
  return outcome === 'HTTP_STATUS' ? `http_${statusCode ?? 0}` : outcome.toLowerCase();
}

/**
 * `Retry-After` as seconds or as an HTTP date.
 * @returns ms from `now`, at least 0; null where it is neither.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  if (!/[a-z]/i.test(text)) return null;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
