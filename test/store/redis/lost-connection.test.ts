import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RecordStore } from '../../../gateway/store/records.ts';
import { LocalClaims } from '../../../gateway/store/redis/local-claims.ts';
import { RedisConnection } from '../../../gateway/store/redis/redis-connection.ts';
import { openRedisStore } from '../../../gateway/store/redis/redis-store.ts';
import { RedisWriter } from '../../../gateway/store/redis/redis-writer.ts';
import type { Lease, Store } from '../../../gateway/store/store.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startRedisServer, type RedisServer } from '../../support/redis-server.ts';
import { makeEvent, newEvent, owe, succeed, TestWorker } from '../../support/store-fixtures.ts';

describe('a Redis that goes away', () => {
  const log = { warn: (): void => {} };
  let clock: ManualClock;
  let server: RedisServer;
  let store: (Store & RecordStore) | null;

  beforeEach(async () => {
    clock = new ManualClock();
    server = await startRedisServer();
    store = null;
  });
  afterEach(async () => {
    await store?.close();
    await server[Symbol.asyncDispose]();
  });

  /** The connection comes back a little after the server. */
  const untilBack = (append: () => Promise<unknown>): Promise<unknown> =>
    vi.waitFor(append, { timeout: 10_000 });
  const open = async (): Promise<Store & RecordStore> => {
    store = await openRedisStore({ url: server.url, clock, log });
    return store;
  };

  it('is said to be away at once, and loses nothing that was accepted, however it ended', async () => {
    const opened = await open();
    await opened.append([newEvent(makeEvent(clock, { id: 'before' }), owe(clock, 'ep_a'))]);
    await server.kill();
    const away = { code: 'STORE_UNAVAILABLE' };
    await expect(opened.append([newEvent(makeEvent(clock, { id: 'during' }))])).rejects.toMatchObject(away);
    await expect(opened.reader.eventsById(['before'])).rejects.toMatchObject(away);
    await server.restart();
    await untilBack(() => opened.append([newEvent(makeEvent(clock, { id: 'after' }), owe(clock, 'ep_a'))]));
    const leases = await new TestWorker(opened).take(2);
    expect(leases.map(({ event }) => event.id)).toEqual(['before', 'after']);
  });

  it('is told what became of a delivery when it is there again', async () => {
    const opened = await open();
    const worker = new TestWorker(opened);
    await opened.append([newEvent(makeEvent(clock), owe(clock, 'ep_a'))]);
    const lease = await worker.next();
    await server.kill();
    const recorded = opened.record([succeed(clock, lease)]);
    await server.restart();
    expect(await recorded).toEqual(['recorded']);
    await opened.append([newEvent(makeEvent(clock, { id: 'next' }), owe(clock, 'ep_a'))]);
    expect((await worker.next()).event.id).toBe('next');
  });

  it('goes on telling whoever follows, without gap', async () => {
    const opened = await open();
    const abort = new AbortController();
    const tail = opened.tail(null, abort.signal)[Symbol.asyncIterator]();
    const watch = opened.watch(['c'], abort.signal)[Symbol.asyncIterator]();
    const first = tail.next();
    await opened.append([newEvent(makeEvent(clock, { id: 'before' }))]);
    expect((await first).value).toMatchObject([{ event: { id: 'before' } }]);
    const second = tail.next();
    const notice = watch.next();
    await server.kill();
    await server.restart();
    await untilBack(() => opened.append([newEvent(makeEvent(clock, { id: 'after' }))]));
    await opened.commit([{ collection: 'c', id: 'x', value: 1, ifVersion: 0 }]);
    expect((await second).value).toMatchObject([{ event: { id: 'after' } }]);
    expect((await notice).value).toMatchObject([{ collection: 'c', id: 'x' }]);
    abort.abort();
  });

  it('gives again what it granted in an answer that was lost', async () => {
    const options = { url: server.url, prefix: '{lost}:', now: () => clock.now(), serverTime: false };
    const connection = await RedisConnection.open({ ...options, name: 'test' });
    let losing = false;
    const losesAnswers = new Proxy(connection, {
      get(target, name) {
        if (name !== 'run') return Reflect.get(target, name, target) as unknown;
        return async (...args: Parameters<RedisConnection['run']>) => {
          const answer = await target.run(...args);
          if (args[0] === 'commit' && losing) throw new Error('the connection was cut');
          return answer;
        };
      },
    });
    const claims = new LocalClaims();
    const writer = new RedisWriter({
      connection: losesAnswers,
      clock,
      process: 'p1',
      aliveMs: 10_000,
      claims,
      limits: { maxWaitingEvents: 10, maxWaitingBytes: 1_000_000 },
    });
    const claim = { pool: 'push', worker: 'w', maxInFlight: 8, leaseMs: 60_000 };
    const leases = claims.open({ ...claim, signal: new AbortController().signal }, () => {});
    losing = true;
    const event = newEvent(makeEvent(clock, { id: 'evt-1' }), owe(clock, 'ep_a'));
    await expect(writer.append([event])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    losing = false;
    // Sent again, as a sender does: known already, and its delivery is not lost with the answer.
    expect(await writer.append([event])).toEqual([{ duplicateOf: 'evt-1' }]);
    const [lease] = (await leases.next()).value as Lease[];
    expect(lease).toMatchObject({ event: { id: 'evt-1' }, attemptNumber: 1 });
    await writer.close();
    connection.close();
  });
});
