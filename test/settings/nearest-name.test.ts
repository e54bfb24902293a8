import { expect, it } from 'vitest';

import { nearestName } from '../../gateway/settings/nearest-name.ts';

it.each([
  ['strat', 'start'],
  ['starts', 'start'],
  ['simulat', 'simulate'],
  ['key', 'keys'],
])('takes %s for %s', (wrong, meant) => {
  expect(nearestName(wrong, ['start', 'serve', 'simulate', 'keys'])).toBe(meant);
});

it('suggests nothing for what resembles nothing', () => {
  expect(nearestName('conveyor', ['start', 'serve', 'simulate', 'keys'])).toBeNull();
});
