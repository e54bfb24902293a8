import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../gateway/store/journal.ts';
import { openRedisStore, type RedisStoreOptions } from '../../gateway/store/redis/redis-store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { startRedisServer, type RedisServer } from '../support/redis-server.ts';
import { makeEvent, newEvent, owe, succeed, TestWorker } from '../support/store-fixtures.ts';
import { testRecords } from './records-contract.ts';
import { testStore, type StoreHarness } from './store-contract.ts';

const DAY_MS = 86_400_000;
let server: RedisServer;
let redis: Redis;
let prefixes = 0;

beforeAll(async () => {
  server = await startRedisServer();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});

type Harness = StoreHarness & { prefix: string; warnings: string[] };

async function open(clock: ManualClock, more: Partial<RedisStoreOptions> = {}): Promise<Harness> {
  const warnings: string[] = [];
  const log = { warn: (_fields: object, message: string): void => void warnings.push(message) };
  const prefix = `{test-${++prefixes}}:`;
  const options = { url: server.url, prefix, clock, log, ...more };
  let store = await openRedisStore(options);
  return {
    prefix,
    warnings,
    store,
    async reopen() {
      await store.close();
      store = await openRedisStore(options);
      return store;
    },
    close: () => store.close(),
  };
}

describe('the distributed store', () => {
  testStore(open);
  testRecords(open);

  it('refuses more than it can hold in memory at once, and takes it again later', async () => {
    const clock = new ManualClock();
    const { store, close } = await open(clock, { maxWaitingEvents: 10 });
    const attempts = await Promise.allSettled(
      Array.from({ length: 25 }, (_, n) => store.append([newEvent(makeEvent(clock, { id: `e${n}` }))])),
    );
    const refused = attempts.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(15);
    expect(refused[0]).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE' } });
    expect(await store.append([newEvent(makeEvent(clock))])).toMatchObject([{ kind: 'accepted' }]);
    await close();
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

  it('sends what arrives together in one command', async () => {
    const clock = new ManualClock();
    const { store, close } = await open(clock);
    await store.append([newEvent(makeEvent(clock))]);
    const countCalls = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
    const before = await countCalls();
    await Promise.all(
      Array.from({ length: 200 }, () => store.append([newEvent(makeEvent(clock), owe(clock, 'ep_a'))])),
    );
    expect((await countCalls()) - before).toBeLessThanOrEqual(2);
    await close();
  });

  it('harms nobody else in the command when one event cannot be stored', async () => {
    const clock = new ManualClock();
    const { store, prefix, close } = await open(clock);
    await redis.set(`${prefix}dl:e:ep_broken`, 'no stream');
    const worker = new TestWorker(store);
    await store.append([newEvent(makeEvent(clock), owe(clock, 'ep_good'))]);
    const lease = await worker.next();
    const results = await Promise.allSettled([
      store.append([newEvent(makeEvent(clock, { id: 'good-1' }), owe(clock, 'ep_good'))]),
      store.append([newEvent(makeEvent(clock, { id: 'broken' }), owe(clock, 'ep_broken'))]),
      store.append([newEvent(makeEvent(clock, { id: 'good-2' }), owe(clock, 'ep_good'))]),
      store.record([succeed(clock, lease)]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(results[3]).toMatchObject({ value: ['recorded'] });
    const delivered = await worker.take(2);
    expect(delivered.map(({ event }) => event.id)).toEqual(['good-1', 'good-2']);
    await close();
  });

  it('keeps text that holds half of a surrogate pair, readable', async () => {
    const clock = new ManualClock();
    const { store, close } = await open(clock);
    const event = makeEvent(clock, { id: 'half-\ud83d', machine: { id: 'm\\ud800', name: '\udc00' } });
    expect(await store.append([newEvent(event)])).toMatchObject([{ kind: 'accepted' }]);
    expect(await store.append([newEvent(event)])).toMatchObject([{ kind: 'duplicate' }]);
    const page = await store.reader.events({
      where: { machines: ['m\\ud800'] },
      limit: 5,
      order: 'newest',
      after: null,
    });
    expect(page.rows.map(({ row }) => [row.id, row.machine])).toEqual([
      ['half-\ufffd', { id: 'm\\ud800', name: '\ufffd' }],
    ]);
    await close();
  });

  it('leaves nothing behind of what it has forgotten', async () => {
    const clock = new ManualClock();
    const { store, prefix, close } = await open(clock);
    const worker = new TestWorker(store);
    for (let n = 0; n < 30; n++) {
      const context = n % 2 === 0 ? '{"n":1}' : null;
      const debts = ['ep_a', 'ep_b'].map((id) => owe(clock, id, { context, orderKey: `k${n % 3}` }));
      await store.append([{ event: makeEvent(clock), deliveries: debts, direct: n % 5 === 0 }]);
    }
    for (let n = 0; n < 60; n++) await store.record([succeed(clock, await worker.next())]);
    await worker.stop();
    clock.advance(40 * DAY_MS);
    expect(await store.prune({ before: clock.now(), rememberIdsMs: DAY_MS, limit: 100 })).toBe(30);
    const keys = (await redis.keys(`${prefix}*`)).map((key) => key.slice(prefix.length));
    expect(keys.sort()).toEqual([
      'hungry:0:push',
      'hungry:1:push',
      'journal',
      'lanes',
      'meta',
      'processes',
      'types',
    ]);
    await close();
  });

  it('cuts off the old end of the journal, and says where what is left begins', async () => {
    const clock = new ManualClock();
    const { store, prefix, close } = await open(clock);
    const start = await store.head();
    for (let n = 0; n < 400; n++) await store.append([newEvent(makeEvent(clock, { id: `old${n}` }))]);
    clock.advance(40 * DAY_MS);
    for (const id of ['kept-1', 'kept-2']) await store.append([newEvent(makeEvent(clock, { id }))]);
    await store.prune({ before: clock.now() - DAY_MS, rememberIdsMs: DAY_MS, limit: 1000 });
    expect(await redis.xlen(`${prefix}journal`)).toBeLessThan(150);
    const { signal } = new AbortController();
    const read = (after: string): Promise<IteratorResult<readonly JournalEntry[]>> =>
      store.tail(after, signal)[Symbol.asyncIterator]().next();
    const error = await read(start).then(
      () => null,
      (caught: unknown) => caught as { code: string; details: { oldestCursor: string } },
    );
    expect(error?.code).toBe('CURSOR_EXPIRED');
    const { value } = await read(error!.details.oldestCursor);
    expect(value).toMatchObject([{ event: { id: 'kept-1' } }, { event: { id: 'kept-2' } }]);
    await close();
  });

  it('keeps what stands beside something open in an index, and shows an id that came again once', async () => {
    const clock = new ManualClock();
    const { store, close } = await open(clock);
    const twice = (): ReturnType<typeof newEvent> => newEvent(makeEvent(clock, { id: 'twice' }));
    await store.append([twice(), newEvent(makeEvent(clock, { id: 'owed' }), owe(clock, 'ep_a'))]);
    clock.advance(40 * DAY_MS);
    await store.prune({ before: clock.now(), rememberIdsMs: DAY_MS, limit: 100 });
    await store.append([twice()]);
    const page = await store.reader.events({ where: {}, limit: 5, order: 'oldest', after: null });
    expect(page.rows.map(({ row }) => row.id)).toEqual(['owed', 'twice']);
    expect(await store.prune({ before: clock.now(), rememberIdsMs: DAY_MS, limit: 100 })).toBe(0);
    await close();
  });

  it('pages through more than one command looks at, with what hardly ever matches', async () => {
    const clock = new ManualClock();
    const { store, close } = await open(clock);
    for (let n = 0; n < 5; n++) {
      const events = Array.from({ length: 1000 }, (_, k) =>
        newEvent(makeEvent(clock, { id: `n${n}-${k}`, machine: { id: k === 500 ? 'rare' : 'm' } })),
      );
      await store.append(events);
    }
    for (const order of ['newest', 'oldest'] as const) {
      const page = await store.reader.events({ where: { machines: ['rare'] }, limit: 5, order, after: null });
      const ids = [0, 1, 2, 3, 4].map((n) => `n${n}-500`);
      expect(page.rows.map(({ row }) => row.id)).toEqual(order === 'oldest' ? ids : ids.reverse());
      expect(page.hasMore).toBe(false);
    }
    await close();
  });

  describe('at its start', () => {
    const start = (options: Partial<RedisStoreOptions> = {}): Promise<Harness> =>
      open(new ManualClock(), options);

    it('refuses a server that would evict what it holds', async () => {
      await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await expect(start()).rejects.toMatchObject({
        code: 'CONFIGURATION',
        message: expect.stringContaining('allkeys-lru') as string,
      });
      await redis.config('SET', 'maxmemory-policy', 'noeviction');
      await (await start()).close();
    });

    it('warns of a server that keeps nothing over a crash', async () => {
      await redis.config('SET', 'appendonly', 'no');
      const harness = await start();
      expect(harness.warnings).toEqual([expect.stringContaining('appendonly') as string]);
      await harness.close();
      await redis.config('SET', 'appendonly', 'yes');
    });

    it('says that a password is missing or wrong', async () => {
      await redis.config('SET', 'requirepass', 'open sesame');
      const refused = { code: 'CONFIGURATION', message: expect.stringContaining('password') as string };
      await expect(start()).rejects.toMatchObject(refused);
      await expect(start({ url: server.url.replace('//', '//:wrong@') })).rejects.toMatchObject(refused);
      await (await start({ url: server.url.replace('//', '//:open%20sesame@') })).close();
      await redis.config('SET', 'requirepass', '');
    });

    it('says what is wrong with an address, without its password', async () => {
      const wrong = start({ url: 'http://user:hidden@127.0.0.1:1' });
      await expect(wrong).rejects.toMatchObject({
        code: 'CONFIGURATION',
        message: expect.not.stringContaining('hidden') as string,
      });
      const nobody = start({ url: 'redis://user:hidden@127.0.0.1:1/0' });
      await expect(nobody).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });
  });
});
