import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../gateway/store/sqlite/sqlite-store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { makeEvent, newEvent, owe } from '../support/store-fixtures.ts';
import { testRecords } from './records-contract.ts';
import { testStore, type StoreHarness } from './store-contract.ts';

async function open(clock: ManualClock): Promise<StoreHarness & { path: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'hookline-store-'));
  const path = join(directory, 'hookline.db');
  let store = await openSqliteStore({ path, clock });
  return {
    path,
    store,
    async reopen() {
      await store.close();
      store = await openSqliteStore({ path, clock });
      return store;
    },
    async close() {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

describe('the embedded store', () => {
  testStore(open);
  testRecords(open);

  it('refuses more than it can hold in memory at once, and takes it again later', async () => {
    const clock = new ManualClock();
    const directory = await mkdtemp(join(tmpdir(), 'hookline-store-'));
    const store = await openSqliteStore({
      path: join(directory, 'hookline.db'),
      clock,
      maxWaitingEvents: 10,
    });
    const attempts = await Promise.allSettled(
      Array.from({ length: 25 }, (_, n) => store.append([newEvent(makeEvent(clock, { id: `e${n}` }))])),
    );
    const refused = attempts.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(15);
    expect(refused[0]).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE' } });
    expect(await store.append([newEvent(makeEvent(clock))])).toMatchObject([{ kind: 'accepted' }]);
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('finishes what was handed in before it closes', async () => {
    const clock = new ManualClock();
    const harness = await open(clock);
    const appended = harness.store.append([newEvent(makeEvent(clock, { id: 'last' }), owe(clock, 'ep_a'))]);
    const store = await harness.reopen();
    expect(await appended).toMatchObject([{ kind: 'accepted' }]);
    expect((await store.reader.eventsById(['last']))[0]?.id).toBe('last');
    await harness.close();
  });

  it('syncs every commit to the disk and keeps a sound file', async () => {
    const clock = new ManualClock();
    const harness = await open(clock);
    await harness.store.append(
      Array.from({ length: 300 }, () => newEvent(makeEvent(clock), owe(clock, 'ep_a'))),
    );
    const database = new DatabaseSync(harness.path);
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    database.close();
    await harness.close();
  });

  it('harms nobody else in the commit when one event cannot be stored', async () => {
    const clock = new ManualClock();
    const harness = await open(clock);
    const broken = { ...makeEvent(clock, { id: 'broken' }), occurredAt: 0.5 };
    const results = await Promise.allSettled([
      harness.store.append([newEvent(makeEvent(clock, { id: 'good-1' }))]),
      harness.store.append([newEvent(broken)]),
      harness.store.append([newEvent(makeEvent(clock, { id: 'good-2' }))]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const found = await harness.store.reader.eventsById(['good-1', 'broken', 'good-2']);
    expect(found.map((event) => event?.id ?? null)).toEqual(['good-1', null, 'good-2']);
    await harness.close();
  });
});
