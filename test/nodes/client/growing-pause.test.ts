import { expect, it } from 'vitest';
import { growingPauseMs, LONGEST_PAUSE_MS, realWait } from '../../../nodes/client/growing-pause.ts';

it('pauses double from a quarter of a second up to ten seconds', () => {
  const pauses = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((failures) => growingPauseMs(failures, () => 0));
  expect(pauses).toEqual([
    250,
    500,
    1000,
    2000,
    4000,
    8000,
    LONGEST_PAUSE_MS,
    LONGEST_PAUSE_MS,
    LONGEST_PAUSE_MS,
  ]);
});

it('chance takes at most half of a pause away', () => {
  expect(growingPauseMs(5, () => 0.999_999)).toBe(2000);
});

it('a real pause ends at once when it is cut short', async () => {
  const cut = new AbortController();
  const waiting = realWait(60_000, cut.signal);
  cut.abort();
  await expect(waiting).rejects.toThrow();
});
