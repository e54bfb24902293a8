import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../gateway/store/journal.ts';
import type { RecordStore } from '../../../gateway/store/records.ts';
import { openRedisStore } from '../../../gateway/store/redis/redis-store.ts';
import type { Lease, Store } from '../../../gateway/store/store.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startRedisServer, type RedisServer } from '../../support/redis-server.ts';
import { failUntil, makeEvent, newEvent, owe, succeed, TestWorker } from '../../support/store-fixtures.ts';

let server: RedisServer;
let prefixes = 0;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('several processes over one Redis', () => {
  const log = { warn: (): void => {} };
  let clock: ManualClock;
  let prefix: string;
  let stores: (Store & RecordStore)[];
  const join = async (joining: ManualClock = clock): Promise<Store & RecordStore> => {
    const store = await openRedisStore({ url: server.url, prefix, clock: joining, log });
    stores.push(store);
    return store;
  };

  beforeEach(() => {
    clock = new ManualClock();
    prefix = `{several-${++prefixes}}:`;
    stores = [];
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
  });

  it('hands each delivery to one of them only', async () => {
    const [a, b] = [await join(), await join()];
    const seen: string[] = [];
    const enough = Promise.withResolvers<void>();
    for (const store of [a, b]) {
      const worker = new TestWorker(store, { maxInFlight: 4 });
      const run = async (): Promise<void> => {
        for (;;) {
          const lease = await worker.next();
          seen.push(lease.deliveryId);
          await store.record([succeed(clock, lease)]);
          if (seen.length === 200) enough.resolve();
        }
      };
      // Ends with its claim, when the store is closed.
      run().catch(() => {});
    }
    for (let n = 0; n < 10; n++) {
      const events = Array.from({ length: 20 }, () => newEvent(makeEvent(clock), owe(clock, `ep_${n % 3}`)));
      await [a, b][n % 2]!.append(events);
    }
    await enough.promise;
    expect(new Set(seen).size).toBe(200);
  });

  it('wakes one that has room for what another one stores', async () => {
    const [a, b] = [await join(), await join()];
    const worker = new TestWorker(b);
    await b.flush();
    for (const id of ['evt-1', 'evt-2']) {
      await a.append([newEvent(makeEvent(clock, { id }), owe(clock, 'ep_a'))]);
      const lease = await worker.next();
      expect(lease.event.id).toBe(id);
      await b.record([succeed(clock, lease)]);
    }
  });

  it('wakes one that has room for what falls due for another one', async () => {
    const [a, b] = [await join(), await join()];
    const worker = new TestWorker(b);
    await b.flush();
    await a.append([
      newEvent(makeEvent(clock, { id: 'later' }), owe(clock, 'ep_a', { dueAt: clock.now() + 500 })),
    ]);
    clock.advance(500);
    expect((await worker.next()).event.id).toBe('later');
  });

  it('has no more in flight to an endpoint than it allows, over all of them', async () => {
    const [a, b] = [await join(), await join()];
    const [one, two] = [new TestWorker(a), new TestWorker(b)];
    await a.setLanes([{ endpointId: 'ep_a', held: false, maxConcurrency: 1 }]);
    await a.append(['a1', 'a2'].map((id) => newEvent(makeEvent(clock, { id }), owe(clock, 'ep_a'))));
    const lease = await one.next();
    await b.flush();
    expect(await b.laneStates(['ep_a'])).toMatchObject([{ inFlight: 1 }]);
    await one.stop();
    expect(lease.event.id).toBe('a1');
    // What the first one gave back goes to the other one, before what came after it.
    const again = await two.next();
    expect(again.event.id).toBe('a1');
    await b.record([succeed(clock, again)]);
    expect((await two.next()).event.id).toBe('a2');
  });

  it('keeps the order of a key over all of them', async () => {
    const [a, b] = [await join(), await join()];
    const ordered = (id: string): ReturnType<typeof newEvent> =>
      newEvent(makeEvent(clock, { id }), owe(clock, 'ep_a', { orderKey: 'k' }));
    const worker = new TestWorker(b);
    await b.flush();
    await a.append([ordered('k1'), ordered('k2')]);
    await b.append([ordered('k3')]);
    for (const id of ['k1', 'k2', 'k3']) {
      const lease = await worker.next();
      expect(lease.event.id).toBe(id);
      await b.record([succeed(clock, lease)]);
    }
  });

  it('takes over what one held that is not heard of any more, and refuses what that one reports later', async () => {
    const a = await join();
    // It stands still: a process that was stopped, or lost its network.
    const still = await join(new ManualClock());
    await still.append([newEvent(makeEvent(clock, { id: 'evt-1' }), owe(clock, 'ep_a'))]);
    const lost = await new TestWorker(still, { leaseMs: 180_000 }).next();
    const worker = new TestWorker(a);
    await a.flush();
    clock.advance(10_000);
    const taken = await worker.next();
    expect(taken).toMatchObject({ deliveryId: lost.deliveryId, attemptNumber: 1 });
    expect(await still.record([failUntil(clock, lost, clock.now())])).toEqual(['stale']);
    expect(await a.record([succeed(clock, taken)])).toEqual(['recorded']);
  });

  it('fires a timer in one of them only, also one that another has set', async () => {
    const [a, b] = [await join(), await join()];
    const abort = new AbortController();
    const fired: string[] = [];
    let onFired = (): void => {};
    for (const store of [a, b]) {
      const run = async (): Promise<void> => {
        for await (const timers of store.dueTimers(abort.signal)) {
          fired.push(...timers.map(({ key }) => key));
          onFired();
        }
      };
      void run();
    }
    const setter = await join();
    for (const key of ['first', 'second', 'third']) {
      const next = new Promise<void>((resolve) => (onFired = resolve));
      await setter.changeTimers([{ key, dueAt: clock.now() + 300, payload: '1' }]);
      clock.advance(1_000);
      await next;
    }
    expect(fired).toEqual(['first', 'second', 'third']);
    abort.abort();
  });

  it('shows one what another one stores, in its tail and in its watch', async () => {
    const [a, b] = [await join(), await join()];
    const abort = new AbortController();
    const tail = b.tail(null, abort.signal)[Symbol.asyncIterator]();
    const watch = b.watch(['c'], abort.signal)[Symbol.asyncIterator]();
    const first = tail.next();
    await b.head();
    await a.append([newEvent(makeEvent(clock, { id: 'evt-1' }))]);
    await a.commit([{ collection: 'c', id: 'x', value: { n: 1 }, ifVersion: 0 }]);
    const [entry] = (await first).value as JournalEntry[];
    expect(entry).toMatchObject({ kind: 'event', event: { id: 'evt-1' } });
    expect((await watch.next()).value).toEqual([{ collection: 'c', id: 'x', version: 1, value: { n: 1 } }]);
    abort.abort();
  });

  it('shows everywhere what is being sent anywhere', async () => {
    const [a, b] = [await join(), await join()];
    await a.append([newEvent(makeEvent(clock), owe(clock, 'ep_a'))]);
    const lease: Lease = await new TestWorker(a).next();
    expect(await b.reader.deliveriesById([lease.deliveryId])).toMatchObject([{ status: 'SENDING' }]);
    const sending = {
      where: { statuses: ['SENDING' as const] },
      limit: 5,
      order: 'newest' as const,
      after: null,
    };
    expect((await b.reader.deliveries(sending)).rows).toHaveLength(1);
  });

  it('goes by the server’s clock where it is told to: one that is ahead of it does not make its deliveries wait', async () => {
    const ahead = new ManualClock(Date.now() + 60_000);
    const store = await openRedisStore({ url: server.url, prefix, clock: ahead, serverTime: true, log });
    stores.push(store);
    const worker = new TestWorker(store, { leaseMs: 30_000 });
    await store.append([newEvent(makeEvent(ahead), owe(ahead, 'ep_a'))]);
    const lease = await worker.next();
    expect(Math.abs(lease.expiresAt - (ahead.now() + 30_000))).toBeLessThan(5_000);
    const redis = new Redis(server.url);
    const [process] = await redis.zrange(`${prefix}processes`, '0', '0');
    const [, expires] = await redis.zrange(`${prefix}leases:${process}`, '0', '-1', 'WITHSCORES');
    redis.disconnect();
    expect(Math.abs(Number(expires) - (Date.now() + 30_000))).toBeLessThan(5_000);
  });
});
