import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordStore } from '../../gateway/store/records.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { StoreHarness } from './store-contract.ts';

/** What every adapter of the quiet port keeps. */
export function testRecords(open: (clock: ManualClock) => Promise<StoreHarness>): void {
  describe('records', () => {
    let clock: ManualClock;
    let harness: StoreHarness;
    let records: RecordStore;

    beforeEach(async () => {
      clock = new ManualClock();
      harness = await open(clock);
      records = harness.store;
    });
    afterEach(() => harness.close());

    it('reads back what was written, over a restart too', async () => {
      await records.commit([{ collection: 'things', id: 'a', value: { n: 1 }, ifVersion: 0 }]);
      clock.advance(5);
      await records.commit([{ collection: 'things', id: 'a', value: { n: 2 }, ifVersion: 1 }]);
      records = await harness.reopen();
      expect(await records.get('things', 'a')).toEqual({
        collection: 'things',
        id: 'a',
        version: 2,
        value: { n: 2 },
        createdAt: clock.now() - 5,
        updatedAt: clock.now(),
      });
      expect(await records.get('things', 'b')).toBeNull();
      expect(await records.get('others', 'a')).toBeNull();
    });

    it('writes all of the changes or none', async () => {
      await records.commit([{ collection: 'things', id: 'a', value: 1, ifVersion: 0 }]);
      const result = await records.commit([
        { collection: 'things', id: 'b', value: 2, ifVersion: 0 },
        { collection: 'things', id: 'a', value: 3, ifVersion: 7 },
      ]);
      expect(result).toEqual({ kind: 'conflict', collection: 'things', id: 'a', version: 1 });
      expect((await records.list('things')).map(({ id, value }) => [id, value])).toEqual([['a', 1]]);
    });

    it('lets one of many simultaneous writers win', async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          records.commit([{ collection: 'c', id: 'x', value: n, ifVersion: 0 }]),
        ),
      );
      expect(results.filter(({ kind }) => kind === 'committed')).toHaveLength(1);
    });

    it('lists a collection oldest first and forgets what is deleted', async () => {
      for (const id of ['b', 'a', 'c'])
        await records.commit([{ collection: 'c', id, value: id, ifVersion: 'any' }]);
      await records.commit([{ collection: 'c', id: 'b', value: 'b2', ifVersion: 'any' }]);
      await records.commit([{ collection: 'c', id: 'a', value: null, ifVersion: 1 }]);
      expect((await records.list('c')).map(({ id }) => id)).toEqual(['b', 'c']);
    });

    it('tells watchers of their collections what was committed, in order', async () => {
      const abort = new AbortController();
      const feed = records.watch(['c'], abort.signal)[Symbol.asyncIterator]();
      await records.commit([{ collection: 'other', id: 'x', value: 1, ifVersion: 0 }]);
      await records.commit([{ collection: 'c', id: 'x', value: 1, ifVersion: 0 }]);
      await records.commit([{ collection: 'c', id: 'x', value: null, ifVersion: 'any' }]);
      expect((await feed.next()).value).toEqual([{ collection: 'c', id: 'x', version: 1, value: 1 }]);
      expect((await feed.next()).value).toMatchObject([{ id: 'x', value: null }]);
      abort.abort();
      expect((await feed.next()).done).toBe(true);
    });
  });
}
