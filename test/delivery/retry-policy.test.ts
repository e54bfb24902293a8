import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideNext,
  DEFAULT_SCHEDULE,
  parseRetryAfter,
  type AttemptEnd,
} from '../../gateway/delivery/retry-policy.ts';

const NOW = Date.UTC(2026, 0, 15, 8, 0, 0);
const DAY_MS = 86_400_000;

function end(overrides: Partial<AttemptEnd> = {}): AttemptEnd {
  return { outcome: 'HTTP_STATUS', statusCode: 500, retryAfterMs: null, endedAt: NOW, ...overrides };
}
const state = (step: number, schedule: readonly number[] = DEFAULT_SCHEDULE) => ({
  step,
  schedule,
  createdAt: NOW,
});

describe('the retry policy', () => {
  it('follows the promised schedule to the letter: 0 s, 5 s, 30 s, 5 min, 30 min, then daily for 7 days', () => {
    expect(DEFAULT_SCHEDULE).toEqual([0, 5_000, 30_000, 300_000, 1_800_000, ...Array(7).fill(DAY_MS)]);
    const waits: (number | null)[] = [];
    const statuses: string[] = [];
    for (let step = 0; step < 12; step++) {
      const decision = decideNext(end(), state(step), 0);
      waits.push(decision.dueAt === null ? null : decision.dueAt - NOW);
      statuses.push(decision.status);
      expect(decision.step).toBe(step + 1);
    }
    expect(waits).toEqual([5_000, 30_000, 300_000, 1_800_000, ...Array(7).fill(DAY_MS), null]);
    expect(statuses).toEqual([...Array(4).fill('RETRYING'), ...Array(7).fill('FAILED'), 'EXHAUSTED']);
  });

  it('is over with the first success', () => {
    expect(decideNext(end({ outcome: 'SUCCESS', statusCode: 200 }), state(3), 0.5)).toEqual({
      status: 'SUCCEEDED',
      dueAt: null,
      step: 4,
      reason: null,
    });
  });

  it('is exhausted after the last step of a shorter schedule', () => {
    expect(decideNext(end(), state(0, [0, 1_000]), 0)).toMatchObject({
      status: 'RETRYING',
      dueAt: NOW + 1_000,
    });
    expect(decideNext(end(), state(1, [0, 1_000]), 0)).toMatchObject({ status: 'EXHAUSTED', dueAt: null });
    expect(decideNext(end(), state(0, [0]), 0)).toMatchObject({ status: 'EXHAUSTED' });
  });

  it('never comes early and at most a tenth late', () => {
    fc.assert(
      fc.property(
        fc.nat(10),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (step, random) => {
          const { dueAt } = decideNext(end(), state(step), random);
          const promised = DEFAULT_SCHEDULE[step + 1]!;
          expect(dueAt! - NOW).toBeGreaterThanOrEqual(promised);
          expect(dueAt! - NOW).toBeLessThanOrEqual(promised * 1.1 + 1);
        },
      ),
    );
  });

  it('waits as long as the receiver asks, up to a day, and uses up no step for it', () => {
    const asked = decideNext(end({ statusCode: 503, retryAfterMs: 120_000 }), state(1), 0);
    expect(asked).toEqual({ status: 'RETRYING', dueAt: NOW + 120_000, step: 1, reason: 'http_503' });
    expect(decideNext(end({ statusCode: 429, retryAfterMs: 9 * DAY_MS }), state(1), 0).dueAt).toBe(
      NOW + DAY_MS,
    );
    expect(decideNext(end({ statusCode: 429 }), state(1), 0)).toMatchObject({ step: 1, dueAt: NOW + 30_000 });
  });

  it('does not wait for ever for a receiver that always asks for more time', () => {
    const old = { ...state(4), createdAt: NOW - 40 * DAY_MS };
    expect(decideNext(end({ statusCode: 503, retryAfterMs: 1_000 }), old, 0)).toMatchObject({
      step: 5,
      status: 'FAILED',
    });
  });

  it('gives up where no further attempt can help', () => {
    expect(decideNext(end({ outcome: 'REFUSED_BY_POLICY', statusCode: null }), state(0), 0)).toMatchObject({
      status: 'REJECTED',
      dueAt: null,
      reason: 'refused_by_policy',
    });
    expect(decideNext(end({ statusCode: 410 }), state(0), 0)).toMatchObject({
      status: 'REJECTED',
      reason: 'gone',
    });
  });

  it('tries again after failures that may pass: name, connection, TLS, time-out, lost answer, refused signature', () => {
    for (const outcome of [
      'DNS',
      'CONNECT',
      'TLS',
      'TIMEOUT',
      'UNKNOWN',
      'AUTH',
      'REDIRECT',
      'FLOW_ERROR',
    ] as const) {
      const decision = decideNext(end({ outcome, statusCode: null }), state(0), 0);
      expect(decision).toEqual({
        status: 'RETRYING',
        dueAt: NOW + 5_000,
        step: 1,
        reason: outcome.toLowerCase(),
      });
    }
  });

  it('reads Retry-After as seconds and as a date, and nothing else', () => {
    expect(parseRetryAfter('120', NOW)).toBe(120_000);
    expect(parseRetryAfter(' 0 ', NOW)).toBe(0);
    expect(parseRetryAfter(new Date(NOW + 60_000).toUTCString(), NOW)).toBe(60_000);
    expect(parseRetryAfter(new Date(NOW - 60_000).toUTCString(), NOW)).toBe(0);
    for (const value of [undefined, '', '-5', '1.5', 'soon', '99999999999999'])
      expect(parseRetryAfter(value, NOW)).toBeNull();
  });
});
