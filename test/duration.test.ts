import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseDuration } from '../gateway/duration.ts';

it('reads a number with its unit', () => {
  expect(['0s', '250ms', '5s', '1.5h', '30m', '7d', '0.0001s'].map(parseDuration)).toEqual([
    0, 250, 5000, 5_400_000, 1_800_000, 604_800_000, 0,
  ]);
});

it('refuses everything else', () => {
  for (const text of [
    '',
    '5',
    's',
    '5 s',
    ' 5s',
    '5s ',
    '-5s',
    '+5s',
    '5S',
    '5sec',
    '1e3s',
    '.5s',
    '5.s',
    '5w',
    '999999999999999d',
  ]) {
    expect(parseDuration(text), text).toBeNull();
  }
});

it('reads back every duration that is written in whole numbers', () => {
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const unit = fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[]));
  fc.assert(
    fc.property(fc.nat(1_000_000), unit, (count, name) => {
      expect(parseDuration(`${count}${name}`)).toBe(count * units[name]);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => ['number', 'object'].includes(typeof parseDuration(text))));
});
