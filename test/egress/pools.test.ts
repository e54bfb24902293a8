import { expect, test } from 'vitest';
import { createPools } from '../../gateway/egress/pools.ts';

function poolsOf(maxOrigins: number) {
  return createPools({ connect: () => expect.unreachable(), connectionsPerOrigin: 1, maxOrigins });
}

test('keeps a bounded number of origins and closes the one idle longest', async () => {
  const pools = poolsOf(3);
  const entries = Array.from({ length: 50 }, (_, i) => pools.open(`http://host-${i}.test`));
  expect(pools.size).toBe(3);
  expect(entries.map((entry) => entry.closed)).toEqual([...Array(47).fill(true), false, false, false]);

  pools.touch(entries[47]!);
  pools.open('http://one-more.test');
  expect(entries.slice(47).map((entry) => entry.closed)).toEqual([false, true, false]);
  await pools.close();
  expect(pools.size).toBe(0);
});

test('holds more only while all are in use, and comes back to the bound', async () => {
  const pools = poolsOf(2);
  const entries = ['a', 'b', 'c', 'd'].map((name) => {
    const entry = pools.open(`http://${name}.test`);
    entry.submit({ send: () => undefined });
    return entry;
  });
  expect(pools.size).toBe(4);
  for (const entry of entries) entry.release();
  pools.open('http://e.test');
  expect(pools.size).toBe(2);
  await pools.close();
});

test('has one pool for an origin', async () => {
  const pools = poolsOf(2);
  expect(pools.open('http://a.test')).toBe(pools.open('http://a.test'));
  await pools.close();
});

test('sends as many at once as there are connections, the rest in order as they become free', async () => {
  const entry = createPools({
    connect: () => expect.unreachable(),
    connectionsPerOrigin: 2,
    maxOrigins: 1,
  }).open('http://a.test');
  const sent: string[] = [];
  const jobs = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ send: () => void sent.push(name) }));
  for (const job of jobs) entry.submit(job);
  expect(sent).toEqual(['a', 'b']);
  expect(entry.withdraw(jobs[2]!)).toBe(true);
  expect(entry.withdraw(jobs[0]!)).toBe(false);
  entry.release();
  expect(sent).toEqual(['a', 'b', 'd']);
  entry.release();
  entry.release();
  expect(sent).toEqual(['a', 'b', 'd', 'e']);
  expect(entry.isIdle).toBe(false);
  entry.release();
  expect(entry.isIdle).toBe(true);
});

test('goes through any number of jobs that fail at once', () => {
  const entry = poolsOf(1).open('http://a.test');
  let sent = 0;
  entry.submit({ send: () => undefined });
  for (let i = 0; i < 50_000; i++) {
    entry.submit({
      send() {
        sent++;
        entry.release();
      },
    });
  }
  entry.release();
  expect(sent).toBe(50_000);
  expect(entry.isIdle).toBe(true);
});
