import { expect, it } from 'vitest';
import { outputOf } from '../../../nodes/glue/event-routing.ts';

const patterns = ['work_order.created', 'work_order.*', 'downtime_categorized', '*'];

it.each([
  ['work_order.created', 0],
  ['work_order.completed', 1],
  ['work_orders.created', 3],
  ['downtime.categorized', 2],
  ['quality.ncr_created', 3],
])('an event %s goes to output %i', (type, output) => {
  expect(outputOf(patterns, type)).toBe(output);
});

it('an event that no line covers goes to the first output', () => {
  expect(outputOf(['a.b', 'c.*'], 'x.y')).toBe(0);
});
