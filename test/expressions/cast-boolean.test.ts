import jsonata from 'jsonata';
import { expect, test } from 'vitest';
import { castBoolean } from '../../gateway/expressions/cast-boolean.ts';

test.each([
  [undefined],
  [null],
  [true],
  [false],
  [0],
  [-1],
  [''],
  ['false'],
  [{}],
  [{ a: false }],
  [[]],
  [[0]],
  [[0, '']],
  [[0, 1]],
  [[[]]],
  [[[], [1]]],
])('%j counts as what $boolean makes of it', async (value) => {
  const byJsonata = ((await jsonata('$boolean(value)').evaluate({ value })) as boolean | undefined) ?? false;
  expect(castBoolean(value)).toBe(byJsonata);
});
