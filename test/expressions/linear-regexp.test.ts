import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LinearRegExp } from '../../gateway/expressions/linear-regexp.ts';

const PATTERNS = [
  /a/g,
  /a*/g,
  /^a/g,
  /^a/gm,
  /b$/g,
  /b$/gm,
  /\bab\b/g,
  /(a)(x)?(b)/g,
  /(?:a|b)+?/g,
  /(?<first>a)b/g,
  /[^a-c\d]+/gi,
  /AB/gi,
  /a{2,3}/g,
  /\u0061\x62/g,
  /\//g,
  /./g,
];

const text = fc.string({
  unit: fc.constantFrom('a', 'b', 'x', 'A', 'B', '1', ' ', '\n', '/'),
  maxLength: 20,
});

test('finds what RegExp finds, one match after the other, groups and places included', () => {
  fc.assert(
    fc.property(fc.constantFrom(...PATTERNS), text, (pattern, subject) => {
      expect(findAll(new LinearRegExp(pattern), subject)).toEqual(findAll(new RegExp(pattern), subject));
    }),
    { numRuns: 2_000 },
  );
});

test('starts again from the beginning after it found nothing more', () => {
  const pattern = new LinearRegExp(/a/g);
  expect(pattern.exec('a')?.index).toBe(0);
  expect(pattern.exec('a')).toBeNull();
  expect(pattern.exec('a')?.index).toBe(0);
});

interface Match {
  [group: number]: string | undefined;
  index: number;
  length: number;
}

function findAll(
  pattern: { lastIndex: number; exec(text: string): Match | null },
  subject: string,
): unknown[] {
  const found: unknown[] = [];
  for (let match = pattern.exec(subject); match; match = pattern.exec(subject)) {
    found.push({
      index: match.index,
      groups: Array.from({ length: match.length }, (_, group) => match[group]),
    });
    // An empty match would be found for ever.
    if (match[0] === '') pattern.lastIndex += 1;
  }
  return found;
}
