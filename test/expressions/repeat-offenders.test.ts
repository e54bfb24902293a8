import { beforeEach, expect, test } from 'vitest';
import { timeoutFailure } from '../../gateway/expressions/describe-failure.ts';
import { createRepeatOffenders, type RepeatOffenders } from '../../gateway/expressions/repeat-offenders.ts';
import { ManualClock } from '../support/manual-clock.ts';

const SOURCE = '$f()';
const TEN_MINUTES = 10 * 60_000;

let clock: ManualClock;
let offenders: RepeatOffenders;

beforeEach(() => {
  clock = new ManualClock();
  offenders = createRepeatOffenders(clock);
});

test('the first time is remembered, and costs no pause', () => {
  expect(offenders.isKnown(SOURCE)).toBe(false);
  offenders.convict(SOURCE, timeoutFailure());
  expect(offenders.isKnown(SOURCE)).toBe(true);
  expect(offenders.refuse(SOURCE)).toBeNull();
});

test('each further time costs a pause of twice the length, up to ten minutes', () => {
  offenders.convict(SOURCE, timeoutFailure());
  const pausesMs = Array.from({ length: 12 }, () => {
    offenders.convict(SOURCE, timeoutFailure());
    const from = clock.now();
    for (let second = 0; offenders.refuse(SOURCE); second++) clock.set(from + second * 1_000);
    return clock.now() - from;
  });
  expect(pausesMs.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(pausesMs.at(-1)).toBe(TEN_MINUTES);
});

test('the answer meanwhile has the same code, and says since when and until when', () => {
  offenders.convict(SOURCE, timeoutFailure());
  offenders.convict(SOURCE, timeoutFailure());
  const refused = offenders.refuse(SOURCE);
  expect(refused).toMatchObject({ ok: false, code: 'EXPRESSION_TIMEOUT' });
  expect(refused?.message).toContain('2 times');
  expect(refused?.message).toContain('2026-01-15T08:00:01.000Z');
});

test('ten minutes after its pause it is as good as new', () => {
  offenders.convict(SOURCE, timeoutFailure());
  offenders.convict(SOURCE, timeoutFailure());
  clock.advance(1_000 + TEN_MINUTES - 1);
  expect(offenders.isKnown(SOURCE)).toBe(true);
  clock.advance(1);
  expect(offenders.isKnown(SOURCE)).toBe(false);
  offenders.convict(SOURCE, timeoutFailure());
  expect(offenders.refuse(SOURCE)).toBeNull();
});
