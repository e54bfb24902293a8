import { expect, it } from 'vitest';

import { nextPauseMs } from '../../gateway/node-red/restart-pause.ts';

it('doubles from 1 s to 60 s while runs are short', () => {
  const pauses: number[] = [];
  for (let pauseMs: number | null = null; pauses.length < 9;) {
    pauseMs = nextPauseMs(pauseMs, 2000);
    pauses.push(pauseMs);
  }
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

it('begins anew after a run of 5 minutes', () => {
  expect(nextPauseMs(60_000, 299_999)).toBe(60_000);
  expect(nextPauseMs(60_000, 300_000)).toBe(1000);
});
