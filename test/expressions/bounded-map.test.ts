import { expect, test } from 'vitest';
import { BoundedMap } from '../../gateway/expressions/bounded-map.ts';

test('forgets what was not asked for the longest, and only beyond its limit', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  expect(map.get('a')).toBe(1);
  map.set('c', 3);
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
});

test('setting again replaces, and makes nothing else go', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('b', 3);
  map.delete('missing');
  expect([map.get('a'), map.get('b')]).toEqual([1, 3]);
  map.delete('a');
  expect(map.get('a')).toBeUndefined();
});
