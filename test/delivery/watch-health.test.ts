import { describe, expect, it } from 'vitest';
import { watchHealth } from '../../gateway/delivery/watch-health.ts';
import { schemaErrors } from '../../gateway/events/validate.ts';
import type { Backlog } from '../../gateway/store/store-reader.ts';
import { createManualClock } from '../support/manual-clock.ts';

function setUp() {
  const clock = createManualClock();
  const told: { type: string; data: object }[] = [];
  const state: { backlog: Backlog | Error } = { backlog: { open: 0, oldestDueAt: null, held: 0 } };
  const stop = watchHealth({
    store: {
      reader: {
        backlog: () =>
          state.backlog instanceof Error ? Promise.reject(state.backlog) : Promise.resolve(state.backlog),
      } as never,
    },
    news: { tell: (type, data) => Promise.resolve(void told.push({ type, data })) },
    clock,
    log: { warn: () => {} },
  });
  /** The next look, and what it leads to. */
  const look = async (): Promise<void> => {
    clock.advance(30_000);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, told, state, stop, look };
}

describe('watching over the installation', () => {
  it('tells once that the backlog is old, and again only after it was not', async () => {
    const { clock, told, state, look, stop } = setUp();
    const old = { open: 7, oldestDueAt: clock.now() - 400_000, held: 0 };
    for (const backlog of [old, old, { open: 0, oldestDueAt: null, held: 0 }, old]) {
      state.backlog = backlog;
      await look();
    }
    stop();
    expect(told.map(({ type }) => type)).toEqual(['hookline.backlog.old', 'hookline.backlog.old']);
    expect(told[0]!.data).toMatchObject({ backlog: 7, oldestDueSeconds: 430 });
    for (const { type, data } of told) expect(schemaErrors(type, data)).toEqual([]);
  });

  it('tells from when to when the store could not be reached, once it can', async () => {
    const { clock, told, state, look, stop } = setUp();
    state.backlog = new Error('the disk is full');
    await look();
    const since = new Date(clock.now()).toISOString();
    await look();
    expect(told).toEqual([]);
    state.backlog = { open: 0, oldestDueAt: null, held: 0 };
    await look();
    stop();
    const until = new Date(clock.now()).toISOString();
    expect(told).toEqual([
      { type: 'hookline.store.unavailable', data: { since, until, reason: 'the disk is full' } },
    ]);
  });

  it('looks no more once it is stopped', async () => {
    const { clock, stop } = setUp();
    stop();
    expect(clock.nextWakeAt).toBeNull();
  });
});
