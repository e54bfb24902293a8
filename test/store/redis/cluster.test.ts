import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { openRedisStore } from '../../../gateway/store/redis/redis-store.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { failUntil, makeEvent, newEvent, owe, succeed, TestWorker } from '../../support/store-fixtures.ts';

it('works on a server of a cluster, and keeps all that it stores in one slot', async () => {
  await using server = await startRedisServer({ cluster: true });
  const clock = new ManualClock();
  const store = await openRedisStore({ url: server.url, clock, log: { warn: () => {} } });
  const abort = new AbortController();
  const worker = new TestWorker(store, { maxInFlight: 2 });
  const events = ['a', 'b', 'c'].map((id) =>
    newEvent(makeEvent(clock, { id }), owe(clock, 'ep_a', { orderKey: `{other}${id}`, context: '1' })),
  );
  await store.append(events);
  const [first, second] = await worker.take(2);
  await store.record([succeed(clock, first!), failUntil(clock, second!, clock.now() + 1_000)]);
  await store.changeTimers([{ key: '{other}', dueAt: clock.now() + 10_000, payload: '1' }]);
  await store.commit([{ collection: '{other}', id: 'x', value: 1, ifVersion: 0 }]);
  const page = await store.reader.deliveries({
    where: { types: ['work_order.*'], statuses: ['RETRYING'] },
    limit: 5,
    order: 'newest',
    after: null,
  });
  expect(page.rows.map(({ row }) => row.eventId)).toEqual(['b']);
  const redis = new Redis(server.url);
  const keys = await redis.keys('*');
  const slots = await Promise.all(keys.map((key) => redis.cluster('KEYSLOT', key)));
  redis.disconnect();
  expect(keys.length).toBeGreaterThan(15);
  expect(new Set(slots).size).toBe(1);
  abort.abort();
  await store.close();
});
