import { expect, test } from 'vitest';
import { judgeJson } from '../../gateway/expressions/judge-json.ts';

test.each([
  ['a text within the limit', 'x'.repeat(98), 'fits'],
  ['a text beyond it', 'x'.repeat(99), 'too_large'],
  ['nothing', undefined, 'fits'],
  ['a list of many', Array.from({ length: 51 }, () => 0), 'too_large'],
  ['an object with long names', { ['x'.repeat(99)]: 1 }, 'too_large'],
  ['a small structure', { a: [1, 'b', null, { c: true }] }, 'fits'],
  ['a function', () => 1, 'not_json'],
  ['a function inside', { a: [() => 1] }, 'not_json'],
  ['a function of JSONata’s', { _jsonata_lambda: true }, 'not_json'],
  ['a number without JSON', 5n, 'not_json'],
])('judges %s', (_, value, verdict) => {
  expect(judgeJson(value, 100)).toBe(verdict);
});

test('a structure that holds itself over and over is judged without being walked to its end', () => {
  let value: unknown = 'x';
  for (let n = 0; n < 10_000; n++) value = [value, value];
  expect(judgeJson(value, 1_000_000)).toBe('too_large');
});

test('never calls too large what JSON writes within the limit', () => {
  const value = { a: 1, b: [1, 2, 3], c: 'text', d: { e: null, f: true } };
  expect(judgeJson(value, JSON.stringify(value).length)).toBe('fits');
});
