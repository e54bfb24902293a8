import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../gateway/store/journal.ts';
import type { RecordStore } from '../../gateway/store/records.ts';
import type { Lease, Store } from '../../gateway/store/store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { failUntil, makeEvent, newEvent, owe, succeed, TestWorker } from '../support/store-fixtures.ts';

export interface StoreHarness {
  store: Store & RecordStore;
  /** Closes and opens the same data again, as after a restart. */
  reopen(): Promise<Store & RecordStore>;
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;

/** What every adapter of the hot port keeps. An adapter's own test calls this and adds its extras. */
export function testStore(open: (clock: ManualClock) => Promise<StoreHarness>): void {
  let clock: ManualClock;
  let harness: StoreHarness;
  let store: Store & RecordStore;
  const workers: TestWorker[] = [];
  const work = (claim: ConstructorParameters<typeof TestWorker>[1] = {}): TestWorker => {
    const worker = new TestWorker(store, claim);
    workers.push(worker);
    return worker;
  };
  /** All that was granted so far is out: an answered no-op means that the grants before it are. */
  const settleDown = async (): Promise<void> => {
    await store.renew([], 1);
    await store.renew([], 1);
  };

  beforeEach(async () => {
    clock = new ManualClock();
    harness = await open(clock);
    store = harness.store;
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop();
    await harness.close();
  });

  describe('append', () => {
    it('accepts a new event and shows it with what it owes', async () => {
      const event = makeEvent(clock, { id: 'evt-1', machine: { id: 'm1', name: 'Mill', group: 'Milling' } });
      const [result] = await store.append([newEvent(event, owe(clock, 'ep_a'), owe(clock, 'ep_b'))]);
      expect(result).toMatchObject({ kind: 'accepted', id: 'evt-1' });
      expect(await store.reader.eventsById(['evt-1', 'nope'])).toEqual([event, null]);
      const page = await store.reader.deliveries({
        where: { eventIds: ['evt-1'] },
        limit: 10,
        order: 'oldest',
        after: null,
      });
      expect(page.rows.map(({ row }) => [row.endpointId, row.status, row.eventType])).toEqual([
        ['ep_a', 'PENDING', 'work_order.created'],
        ['ep_b', 'PENDING', 'work_order.created'],
      ]);
    });

    it('keeps the first of two events with the same id from the same source', async () => {
      const first = makeEvent(clock, { id: 'evt-1', data: { first: true } });
      const second = makeEvent(clock, { id: 'evt-1', data: { first: false } });
      const results = await store.append([
        newEvent(first, owe(clock, 'ep_a')),
        newEvent(second, owe(clock, 'ep_a')),
      ]);
      expect(results).toMatchObject([{ kind: 'accepted' }, { kind: 'duplicate', id: 'evt-1' }]);
      expect((await store.reader.eventsById(['evt-1']))[0]?.body).toContain('"first":true');
      const page = await store.reader.deliveries({ where: {}, limit: 10, order: 'oldest', after: null });
      expect(page.rows).toHaveLength(1);
    });

    it('lets exactly one of many simultaneous copies win', async () => {
      const results = await Promise.all(
        Array.from({ length: 50 }, () => store.append([newEvent(makeEvent(clock, { id: 'evt-same' }))])),
      );
      expect(results.flat().filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
    });

    it('tells an id that another source holds apart by its source, in the envelope too', async () => {
      await store.append([newEvent(makeEvent(clock, { id: 'evt-1', source: 'mes' }))]);
      const other = makeEvent(clock, { id: 'evt-1', source: 'machinemetrics' });
      const [accepted] = await store.append([newEvent(other, owe(clock, 'ep_a'))]);
      expect(accepted).toMatchObject({ kind: 'accepted', id: 'machinemetrics:evt-1' });
      const [again] = await store.append([newEvent(other)]);
      expect(again).toEqual({ kind: 'duplicate', id: 'machinemetrics:evt-1' });
      const lease = await work().next();
      expect(lease.event.id).toBe('machinemetrics:evt-1');
      expect(JSON.parse(lease.event.body)).toMatchObject({ id: 'machinemetrics:evt-1' });
      expect(Buffer.from(lease.event.raw!).toString()).toBe(other.body);
    });

    it('counts equal derived ids as duplicates within their window only', async () => {
      const append = async (): Promise<string> => {
        const event = makeEvent(clock, { id: 'evt_derived' });
        const [result] = await store.append([{ event, deliveries: [], duplicateWindowMs: 60_000 }]);
        return result!.kind;
      };
      expect(await append()).toBe('accepted');
      clock.advance(59_000);
      expect(await append()).toBe('duplicate');
      clock.advance(2_000);
      expect(await append()).toBe('accepted');
      clock.advance(30_000);
      expect(await append()).toBe('duplicate');
      clock.advance(61_000);
      expect(await append()).toBe('accepted');
    });

    it('keeps an event whose bytes differ from its envelope with both', async () => {
      const raw = Buffer.from('{"odd":  true}');
      await store.append([newEvent(makeEvent(clock, { id: 'evt-raw', raw }))]);
      expect(Buffer.from((await store.reader.eventsById(['evt-raw']))[0]!.raw!)).toEqual(raw);
    });

    it('knows events and debts after it was closed and opened again', async () => {
      await store.append([newEvent(makeEvent(clock, { id: 'evt-1' }), owe(clock, 'ep_a'))]);
      const before = await store.head();
      store = await harness.reopen();
      expect(await store.head()).toBe(before);
      expect(await store.append([newEvent(makeEvent(clock, { id: 'evt-1' }))])).toMatchObject([
        { kind: 'duplicate' },
      ]);
      expect((await work().next()).event.id).toBe('evt-1');
    });
  });

  describe('claim and record', () => {
    it('leases what is due, once, with all a worker needs', async () => {
      const worker = work();
      const event = makeEvent(clock, { id: 'evt-1' });
      await store.append([newEvent(event, owe(clock, 'ep_a', { context: '{"a":1}', orderKey: 'k' }))]);
      const lease = await worker.next();
      expect(lease).toMatchObject({
        endpointId: 'ep_a',
        attemptNumber: 1,
        generation: 0,
        step: 0,
        context: '{"a":1}',
        orderKey: 'k',
        createdAt: clock.now(),
        expiresAt: clock.now() + 60_000,
      });
      expect(lease.event).toEqual(event);
      const [row] = await store.reader.deliveriesById([lease.deliveryId]);
      expect(row?.status).toBe('SENDING');
    });

    it('hands each delivery to one of several workers only', async () => {
      const [one, two] = [work(), work()];
      await store.append(Array.from({ length: 40 }, () => newEvent(makeEvent(clock), owe(clock, 'ep_a'))));
      const settle = async (worker: TestWorker, ids: string[]): Promise<void> => {
        for (;;) {
          const lease = await worker.next();
          ids.push(lease.deliveryId);
          await store.record([succeed(clock, lease)]);
          if (ids.length === 40) return;
        }
      };
      const ids: string[] = [];
      await Promise.race([settle(one, ids), settle(two, ids)]);
      expect(new Set(ids).size).toBe(40);
    });

    it('waits until a delivery is due', async () => {
      const worker = work();
      await store.append([
        newEvent(makeEvent(clock, { id: 'later' }), owe(clock, 'ep_a', { dueAt: clock.now() + 5_000 })),
      ]);
      await store.append([newEvent(makeEvent(clock, { id: 'now' }), owe(clock, 'ep_b'))]);
      expect((await worker.next()).event.id).toBe('now');
      clock.advance(5_000);
      expect((await worker.next()).event.id).toBe('later');
    });

    it('records the attempt with what becomes of the delivery', async () => {
      const worker = work();
      await store.append([newEvent(makeEvent(clock), owe(clock, 'ep_a'))]);
      const lease = await worker.next();
      expect(await store.record([failUntil(clock, lease, clock.now() + 5_000)])).toEqual(['recorded']);
      const [row] = await store.reader.deliveriesById([lease.deliveryId]);
      expect(row).toMatchObject({
        status: 'RETRYING',
        attemptCount: 1,
        step: 1,
        reason: 'http_500',
        nextAttemptAt: clock.now() + 5_000,
      });
      clock.advance(5_000);
      const second = await worker.next();
      expect(second).toMatchObject({ deliveryId: lease.deliveryId, attemptNumber: 2, step: 1 });
      expect(second.token).toBeGreaterThan(lease.token);
      await store.record([succeed(clock, second)]);
      const [attempts] = await store.reader.attempts([lease.deliveryId]);
      expect(attempts!.map(({ number, outcome, statusCode }) => [number, outcome, statusCode])).toEqual([
        [1, 'HTTP_STATUS', 500],
        [2, 'SUCCESS', 200],
      ]);
      expect((await store.reader.deliveriesById([lease.deliveryId]))[0]).toMatchObject({
        status: 'SUCCEEDED',
        nextAttemptAt: null,
        completedAt: clock.now(),
      });
    });

    it('refuses what an old lease reports', async () => {
      const worker = work({ leaseMs: 1_000 });
      await store.append([newEvent(makeEvent(clock), owe(clock, 'ep_a'))]);
      const slow = await worker.next();
      clock.advance(1_000);
      const fresh = await worker.next();
      expect(fresh.deliveryId).toBe(slow.deliveryId);
      expect(await store.record([failUntil(clock, slow, clock.now() + 5)])).toEqual(['stale']);
      expect(await store.record([succeed(clock, fresh)])).toEqual(['recorded']);
      expect(await store.record([succeed(clock, fresh)])).toEqual(['stale']);
      expect((await store.reader.attempts([slow.deliveryId]))[0]).toHaveLength(1);
    });

    it('accepts only the first of two reports that share a commit', async () => {
      const worker = work();
      await store.append([newEvent(makeEvent(clock), owe(clock, 'ep_a'))]);
      const lease = await worker.next();
      expect(await store.record([succeed(clock, lease), succeed(clock, lease)])).toEqual([
        'recorded',
        'stale',
      ]);
    });

    it('refuses the report of a lease from before a restart', async () => {
      await store.append([newEvent(makeEvent(clock), owe(clock, 'ep_a'))]);
      const old = await work().next();
      workers.length = 0;
      store = await harness.reopen();
      const fresh = await work().next();
      expect(fresh.deliveryId).toBe(old.deliveryId);
      expect(await store.record([succeed(clock, old)])).toEqual(['stale']);
    });

    it('keeps a renewed lease beyond its first end', async () => {
      const worker = work({ leaseMs: 1_000 });
      await store.append([newEvent(makeEvent(clock), owe(clock, 'ep_a'))]);
      const lease = await worker.next();
      expect(await store.renew([lease, { ...lease, token: lease.token + 1 }], 10_000)).toEqual([true, false]);
      clock.advance(5_000);
      await settleDown();
      expect(await store.record([succeed(clock, lease)])).toEqual(['recorded']);
    });

    it('gives back what a worker held when its claim ends', async () => {
      const first = work();
      await store.append([newEvent(makeEvent(clock, { id: 'evt-1' }), owe(clock, 'ep_a'))]);
      await first.next();
      await first.stop();
      expect((await work().next()).event.id).toBe('evt-1');
    });

    it('lets a worker that is told to stop finish what it holds, and grants it nothing more', async () => {
      const abort = new AbortController();
      const leases = store.claim({
        pool: 'push',
        worker: 'w',
        maxInFlight: 8,
        leaseMs: 60_000,
        signal: abort.signal,
      });
      const iterator = leases[Symbol.asyncIterator]();
      await store.append([newEvent(makeEvent(clock, { id: 'evt-1' }), owe(clock, 'ep_a'))]);
      const [lease] = (await iterator.next()).value as Lease[];
      abort.abort();
      expect((await iterator.next()).done).toBe(true);
      await store.append([newEvent(makeEvent(clock, { id: 'evt-2' }), owe(clock, 'ep_a'))]);
      expect(await store.record([succeed(clock, lease!)])).toEqual(['recorded']);
      expect((await work().next()).event.id).toBe('evt-2');
    });

    it('takes back work that was not tried, without counting an attempt', async () => {
      const worker = work();
      await store.append([newEvent(makeEvent(clock), owe(clock, 'ep_a'))]);
      const lease = await worker.next();
      await store.record([
        { ...succeed(clock, lease), attempt: null, status: 'PENDING', dueAt: clock.now(), step: 0 },
      ]);
      expect(await worker.next()).toMatchObject({ deliveryId: lease.deliveryId, attemptNumber: 1 });
    });

    it('appends the events that a settlement causes in the same step', async () => {
      const worker = work();
      await store.append([newEvent(makeEvent(clock), owe(clock, 'ep_a'))]);
      const lease = await worker.next();
      const result = makeEvent(clock, { id: 'result-1', type: 'hookline.delivery.succeeded', source: null });
      await store.record([{ ...succeed(clock, lease), causes: [newEvent(result, owe(clock, 'ep_flow'))] }]);
      expect((await worker.next()).event).toEqual(result);
    });

    it('keeps other pools out', async () => {
      const flow = work({ pool: 'ep_flow' });
      const push = work();
      await store.append([
        newEvent(makeEvent(clock, { id: 'evt-f' }), owe(clock, 'ep_flow', { pool: 'ep_flow' })),
        newEvent(makeEvent(clock, { id: 'evt-p' }), owe(clock, 'ep_a')),
      ]);
      expect((await flow.next()).event.id).toBe('evt-f');
      expect((await push.next()).event.id).toBe('evt-p');
    });

    it('never leases more than the worker asked for, and goes on as leases are settled', async () => {
      const worker = work({ maxInFlight: 2 });
      await store.append(Array.from({ length: 5 }, () => newEvent(makeEvent(clock), owe(clock, 'ep_a'))));
      const leases = await worker.take(2);
      await settleDown();
      const sending = await store.reader.deliveries({
        where: { statuses: ['SENDING'] },
        limit: 10,
        order: 'oldest',
        after: null,
      });
      expect(sending.rows).toHaveLength(2);
      await store.record(leases.map((lease) => succeed(clock, lease)));
      await worker.take(2);
    });

    it('never has more in flight to an endpoint than its lane allows, and others go on', async () => {
      const worker = work();
      await store.setLanes([{ endpointId: 'ep_a', held: false, maxConcurrency: 1 }]);
      await store.append(['a1', 'a2'].map((id) => newEvent(makeEvent(clock, { id }), owe(clock, 'ep_a'))));
      await store.append([newEvent(makeEvent(clock, { id: 'b1' }), owe(clock, 'ep_b'))]);
      const [first, second] = await worker.take(2);
      expect([first!.event.id, second!.event.id]).toEqual(['a1', 'b1']);
      await store.record([succeed(clock, first!)]);
      expect((await worker.next()).event.id).toBe('a2');
    });

    it('grants nothing from a held lane, shows it as HELD, and goes on in order when it is let go', async () => {
      const worker = work();
      await store.setLanes([{ endpointId: 'ep_a', held: true, maxConcurrency: 8 }]);
      await store.append(['a1', 'a2'].map((id) => newEvent(makeEvent(clock, { id }), owe(clock, 'ep_a'))));
      await store.append([newEvent(makeEvent(clock, { id: 'b1' }), owe(clock, 'ep_b'))]);
      expect((await worker.next()).event.id).toBe('b1');
      const held = await store.reader.deliveries({
        where: { statuses: ['HELD'] },
        limit: 10,
        order: 'oldest',
        after: null,
      });
      expect(held.rows.map(({ row }) => row.eventId)).toEqual(['a1', 'a2']);
      await store.setLanes([{ endpointId: 'ep_a', held: false, maxConcurrency: 8 }]);
      expect((await worker.take(2)).map(({ event }) => event.id)).toEqual(['a1', 'a2']);
    });

    it('remembers a held lane over a restart', async () => {
      await store.setLanes([{ endpointId: 'ep_a', held: true, maxConcurrency: 8 }]);
      await store.append([newEvent(makeEvent(clock, { id: 'a1' }), owe(clock, 'ep_a'))]);
      store = await harness.reopen();
      const worker = work();
      await store.append([newEvent(makeEvent(clock, { id: 'b1' }), owe(clock, 'ep_b'))]);
      expect((await worker.next()).event.id).toBe('b1');
    });

    it('does not let retries take all of a worker, so that first attempts go at once', async () => {
      const worker = work({ maxInFlight: 4 });
      await store.append(Array.from({ length: 6 }, () => newEvent(makeEvent(clock), owe(clock, 'ep_bad'))));
      const dueAt = clock.now() + 1_000;
      let failed = 0;
      while (failed < 6) {
        await store.record([failUntil(clock, await worker.next(), dueAt)]);
        failed++;
      }
      clock.set(dueAt);
      expect((await worker.take(2)).every(({ endpointId }) => endpointId === 'ep_bad')).toBe(true);
      await store.append([newEvent(makeEvent(clock, { id: 'fresh' }), owe(clock, 'ep_good'))]);
      expect((await worker.next()).event.id).toBe('fresh');
    });

    it('gives every lane its turn when one has a long backlog', async () => {
      await store.setLanes([{ endpointId: 'ep_big', held: false, maxConcurrency: 64 }]);
      await store.append(Array.from({ length: 200 }, () => newEvent(makeEvent(clock), owe(clock, 'ep_big'))));
      await store.append([newEvent(makeEvent(clock, { id: 'small' }), owe(clock, 'ep_small'))]);
      const leases = await work({ maxInFlight: 20 }).take(5);
      expect(leases.map(({ event }) => event.id)).toContain('small');
    });

    it('goes on when the clock is set back, and when it jumps ahead', async () => {
      const worker = work();
      const start = clock.now();
      await store.append([newEvent(makeEvent(clock, { id: 'a1' }), owe(clock, 'ep_a'))]);
      await store.record([failUntil(clock, await worker.next(), start + 5_000)]);
      clock.set(start - 3_600_000);
      await store.append([newEvent(makeEvent(clock, { id: 'a2' }), owe(clock, 'ep_a'))]);
      const a2 = await worker.next();
      expect(a2.event.id).toBe('a2');
      await store.record([succeed(clock, a2)]);
      clock.set(start + 30 * DAY_MS);
      expect((await worker.next()).event.id).toBe('a1');
      await store.append([newEvent(makeEvent(clock, { id: 'a3' }), owe(clock, 'ep_a'))]);
      expect((await worker.next()).event.id).toBe('a3');
    });

    it('works a backlog of many off without losing or repeating any', async () => {
      await store.append(
        Array.from({ length: 300 }, (_, n) =>
          newEvent(makeEvent(clock, { id: `n${n}` }), owe(clock, `ep_${n % 3}`)),
        ),
      );
      const worker = work({ maxInFlight: 20 });
      const seen: string[] = [];
      while (seen.length < 300) {
        const lease = await worker.next();
        seen.push(lease.event.id);
        void store.record([succeed(clock, lease)]);
      }
      expect(new Set(seen).size).toBe(300);
    });
  });

  describe('order per key', () => {
    const ordered = (id: string, key: string, endpointId = 'ep_a'): ReturnType<typeof newEvent> =>
      newEvent(makeEvent(clock, { id }), owe(clock, endpointId, { orderKey: key }));

    it('lets one of a key go at a time, in the order of arrival, and other keys beside it', async () => {
      const worker = work();
      await store.append([
        ordered('a1', 'a'),
        ordered('b1', 'b'),
        ordered('a2', 'a'),
        ordered('a3', 'a'),
        ordered('b2', 'b'),
      ]);
      const [a1, b1] = await worker.take(2);
      expect([a1!.event.id, b1!.event.id]).toEqual(['a1', 'b1']);
      const ofKey = await store.reader.deliveries({
        where: { endpointIds: ['ep_a'], orderKeys: ['b'] },
        limit: 10,
        order: 'oldest',
        after: null,
      });
      expect(ofKey.rows.map(({ row }) => [row.eventId, row.orderKey])).toEqual([
        ['b1', 'b'],
        ['b2', 'b'],
      ]);
      const held = await store.reader.deliveries({
        where: { statuses: ['HELD'] },
        limit: 10,
        order: 'oldest',
        after: null,
      });
      expect(held.rows.map(({ row }) => [row.eventId, row.reason])).toEqual([
        ['a2', 'key_waits'],
        ['a3', 'key_waits'],
        ['b2', 'key_waits'],
      ]);
      await store.record([succeed(clock, a1!)]);
      const a2 = await worker.next();
      expect(a2.event.id).toBe('a2');
      await store.record([succeed(clock, a2), succeed(clock, b1!)]);
      expect((await worker.take(2)).map(({ event }) => event.id).sort()).toEqual(['a3', 'b2']);
    });

    it('keeps a key waiting behind one that fails, and lets it go when that one is over', async () => {
      const worker = work();
      await store.append([ordered('a1', 'a'), ordered('a2', 'a'), ordered('b1', 'b')]);
      const [a1, b1] = await worker.take(2);
      await store.record([failUntil(clock, a1!, clock.now() + 5_000), succeed(clock, b1!)]);
      clock.advance(5_000);
      const again = await worker.next();
      expect(again.event.id).toBe('a1');
      await store.record([{ ...succeed(clock, again), status: 'EXHAUSTED' }]);
      expect((await worker.next()).event.id).toBe('a2');
    });

    it('lets the key go on past one that goes on failing where that is wished', async () => {
      const worker = work();
      await store.append([ordered('a1', 'a'), ordered('a2', 'a'), ordered('a3', 'a')]);
      const a1 = await worker.next();
      await store.record([
        { ...failUntil(clock, a1, clock.now() + 30_000), status: 'FAILED', freesKey: true },
      ]);
      const a2 = await worker.next();
      expect(a2.event.id).toBe('a2');
      clock.advance(30_000);
      const late = await worker.next();
      expect(late.event.id).toBe('a1');
      await store.record([succeed(clock, late)]);
      await store.record([succeed(clock, a2)]);
      expect((await worker.next()).event.id).toBe('a3');
    });

    it('keeps the order over a restart', async () => {
      await store.append([ordered('a1', 'a'), ordered('a2', 'a'), ordered('a3', 'a')]);
      store = await harness.reopen();
      const worker = work();
      for (const id of ['a1', 'a2', 'a3']) {
        const lease = await worker.next();
        expect(lease.event.id).toBe(id);
        await store.record([succeed(clock, lease)]);
      }
    });

    it('lets the next go when the one before is cancelled', async () => {
      const worker = work();
      await store.append([ordered('a1', 'a'), ordered('a2', 'a')]);
      const a1 = await worker.next();
      await store.record([failUntil(clock, a1, clock.now() + 5_000)]);
      await store.amend({ deliveryId: a1.deliveryId, action: 'cancel' });
      expect((await worker.next()).event.id).toBe('a2');
    });

    it('keeps the same key of two endpoints apart', async () => {
      const worker = work();
      await store.append([ordered('a1', 'k', 'ep_a'), ordered('b1', 'k', 'ep_b')]);
      expect(await worker.take(2)).toHaveLength(2);
    });

    it('replaces what waits by the newest where only that matters, but not what is being sent', async () => {
      const worker = work();
      const newest = (id: string): ReturnType<typeof newEvent> =>
        newEvent(makeEvent(clock, { id }), owe(clock, 'ep_a', { orderKey: 'k', supersedes: true }));
      await store.append([newest('n1')]);
      const first = await worker.next();
      for (const id of ['n2', 'n3', 'n4']) await store.append([newest(id)]);
      await store.record([succeed(clock, first)]);
      expect((await worker.next()).event.id).toBe('n4');
      const page = await store.reader.deliveries({
        where: { statuses: ['SUPERSEDED'] },
        limit: 10,
        order: 'oldest',
        after: null,
      });
      expect(page.rows.map(({ row }) => row.eventId)).toEqual(['n2', 'n3']);
    });

    it('tells followers first what is superseded, then by what, and goes on', async () => {
      const abort = new AbortController();
      const tail = store.tail(null, abort.signal)[Symbol.asyncIterator]();
      const newest = (id: string): ReturnType<typeof newEvent> =>
        newEvent(makeEvent(clock, { id }), owe(clock, 'ep_a', { orderKey: 'k', supersedes: true }));
      await store.setLanes([{ endpointId: 'ep_a', held: true, maxConcurrency: 1 }]);
      await store.append([newest('n1')]);
      await store.append([newest('n2')]);
      const told: string[] = [];
      while (told.length < 5) {
        const { value } = (await tail.next()) as { value: readonly JournalEntry[] };
        for (const entry of value) {
          told.push(
            entry.kind === 'event' ? entry.event.id : `${entry.delivery.eventId} ${entry.delivery.status}`,
          );
        }
      }
      expect(told).toEqual(['n1', 'n1 HELD', 'n2', 'n1 SUPERSEDED', 'n2 HELD']);
      abort.abort();
      expect((await tail.next()).done).toBe(true);
    });

    it('works many keys off in order at once', async () => {
      const events = Array.from({ length: 200 }, (_, n) =>
        ordered(`k${n % 10}-${Math.floor(n / 10)}`, `k${n % 10}`),
      );
      await store.append(events);
      const worker = work({ maxInFlight: 16 });
      const seen = new Map<string, number[]>();
      for (let done = 0; done < 200; done++) {
        const lease = await worker.next();
        const [key, place] = lease.event.id.split('-') as [string, string];
        seen.set(key, [...(seen.get(key) ?? []), Number(place)]);
        void store.record([succeed(clock, lease)]);
      }
      for (const places of seen.values()) expect(places).toEqual(Array.from({ length: 20 }, (_, n) => n));
    });
  });

  describe('how fast an endpoint may go', () => {
    it('keeps a rate, with a second’s worth in one burst', async () => {
      const worker = work();
      await store.setLanes([{ endpointId: 'ep_a', held: false, maxConcurrency: 64, ratePerSecond: 2 }]);
      await store.append(
        Array.from({ length: 5 }, (_, n) => newEvent(makeEvent(clock, { id: `r${n}` }), owe(clock, 'ep_a'))),
      );
      const burst = await worker.take(2);
      await settleDown();
      expect((await store.laneStates(['ep_a']))[0]).toMatchObject({
        inFlight: 2,
        nextTokenAt: clock.now() + 500,
      });
      await store.record(burst.map((lease) => succeed(clock, lease)));
      clock.advance(500);
      expect((await worker.next()).event.id).toBe('r2');
      clock.advance(1_000);
      expect((await worker.take(2)).map(({ event }) => event.id)).toEqual(['r3', 'r4']);
    });

    it('lets a receiver earn its concurrency: a few at first, one more with each success, fewer after a failure', async () => {
      const worker = work({ maxInFlight: 64 });
      await store.append(Array.from({ length: 30 }, () => newEvent(makeEvent(clock), owe(clock, 'ep_a'))));
      const first = await worker.take(4);
      await settleDown();
      expect((await store.laneStates(['ep_a']))[0]).toMatchObject({ inFlight: 4, concurrency: 4 });
      const success = { kind: 'success', restMs: null } as const;
      await store.record(first.map((lease) => ({ ...succeed(clock, lease), sign: success })));
      const more = await worker.take(8);
      expect((await store.laneStates(['ep_a']))[0]).toMatchObject({ inFlight: 8, concurrency: 8 });
      const [lease] = more;
      const failure = { kind: 'failure', restMs: null } as const;
      await store.record([{ ...failUntil(clock, lease!, clock.now() + 5_000), sign: failure }]);
      expect((await store.laneStates(['ep_a']))[0]).toMatchObject({ inFlight: 7, concurrency: 4 });
    });

    it('lets an endpoint rest as long as its receiver asks, and nobody else', async () => {
      const worker = work();
      await store.append([newEvent(makeEvent(clock, { id: 'a1' }), owe(clock, 'ep_a'))]);
      const lease = await worker.next();
      const until = clock.now() + 30_000;
      await store.record([
        { ...failUntil(clock, lease, until), sign: { kind: 'throttled', restMs: 30_000 } },
      ]);
      await store.append([newEvent(makeEvent(clock, { id: 'a2' }), owe(clock, 'ep_a'))]);
      await store.append([newEvent(makeEvent(clock, { id: 'b1' }), owe(clock, 'ep_b'))]);
      expect((await worker.next()).event.id).toBe('b1');
      expect((await store.laneStates(['ep_a']))[0]).toMatchObject({ restUntil: until, concurrency: 2 });
      clock.set(until);
      expect((await worker.take(2)).map(({ event }) => event.id).sort()).toEqual(['a1', 'a2']);
    });

    it('only probes a receiver that failed ten times in a row, and goes on after two successes, also over a restart', async () => {
      let worker = work();
      const fail = async (): Promise<void> => {
        const lease = await worker.next();
        await store.record([
          { ...succeed(clock, lease), status: 'EXHAUSTED', sign: { kind: 'failure', restMs: null } },
        ]);
      };
      await store.setLanes([{ endpointId: 'ep_a', held: false, maxConcurrency: 1 }]);
      await store.append(
        Array.from({ length: 20 }, (_, n) => newEvent(makeEvent(clock, { id: `c${n}` }), owe(clock, 'ep_a'))),
      );
      for (let n = 0; n < 10; n++) await fail();
      const failingSince = clock.now();
      expect((await store.laneStates(['ep_a']))[0]).toMatchObject({
        circuit: 'open',
        failuresInRow: 10,
        failingSince,
        nextProbeAt: clock.now() + 60_000,
      });
      await worker.stop();
      store = await harness.reopen();
      worker = work();
      await settleDown();
      expect((await store.laneStates(['ep_a']))[0]).toMatchObject({ failuresInRow: 10, failingSince });
      const probe = await worker.next();
      expect(probe.failingSince).toBe(failingSince);
      await store.record([{ ...succeed(clock, probe), sign: { kind: 'success', restMs: null } }]);
      const second = await worker.next();
      await store.record([{ ...succeed(clock, second), sign: { kind: 'success', restMs: null } }]);
      expect((await store.laneStates(['ep_a']))[0]).toMatchObject({
        circuit: 'closed',
        failuresInRow: 0,
        failingSince: null,
      });
      await worker.next();
    });
  });

  describe('owe', () => {
    it('adds what an endpoint missed to stored events, once', async () => {
      const event = makeEvent(clock, { id: 'evt-1' });
      await store.append([newEvent(event, owe(clock, 'ep_a'))]);
      const worker = work();
      await store.record([succeed(clock, await worker.next())]);
      clock.advance(1_000);
      const debts = [
        { eventId: 'evt-1', deliveries: [owe(clock, 'ep_a'), owe(clock, 'ep_b')] },
        { eventId: 'gone', deliveries: [owe(clock, 'ep_b')] },
      ];
      expect(await store.owe(debts)).toBe(1);
      expect(await worker.next()).toMatchObject({ endpointId: 'ep_b', event, createdAt: clock.now() });
      expect(await store.owe(debts)).toBe(0);
    });
  });

  describe('owe again', () => {
    it('begins anew what is over or FAILED, and leaves alone what still runs', async () => {
      const worker = work();
      await store.append(
        ['done', 'failed', 'running'].map((id) => newEvent(makeEvent(clock, { id }), owe(clock, 'ep_a'))),
      );
      const [done, failed, running] = await worker.take(3);
      await store.record([
        succeed(clock, done!),
        { ...failUntil(clock, failed!, clock.now() + DAY_MS), status: 'FAILED' },
        failUntil(clock, running!, clock.now() + 5_000),
      ]);
      const debts = ['done', 'failed', 'running'].map((eventId) => ({
        eventId,
        deliveries: [owe(clock, 'ep_a')],
      }));
      expect(await store.owe(debts, { again: true })).toBe(2);
      const again = await worker.take(2);
      expect(
        again
          .map(({ event, generation, attemptNumber, step }) => [event.id, generation, attemptNumber, step])
          .sort(([one], [other]) => String(one).localeCompare(String(other))),
      ).toEqual([
        ['done', 1, 2, 0],
        ['failed', 1, 2, 0],
      ]);
      const page = await store.reader.deliveries({ where: {}, limit: 10, order: 'oldest', after: null });
      expect(page.rows).toHaveLength(3);
    });
  });

  describe('amend', () => {
    const oneLease = async (worker: TestWorker): Promise<Lease> => {
      await store.append([newEvent(makeEvent(clock), owe(clock, 'ep_a'))]);
      return worker.next();
    };

    it('retries what is over in a new generation whose attempts are counted on', async () => {
      const worker = work();
      const lease = await oneLease(worker);
      await store.record([{ ...succeed(clock, lease), status: 'EXHAUSTED' }]);
      expect(await store.amend({ deliveryId: lease.deliveryId, action: 'retry' })).toBe('amended');
      expect(await worker.next()).toMatchObject({
        deliveryId: lease.deliveryId,
        generation: 1,
        step: 0,
        attemptNumber: 2,
      });
    });

    it('leaves alone what is being sent', async () => {
      const lease = await oneLease(work());
      expect(await store.amend({ deliveryId: lease.deliveryId, action: 'retry' })).toBe('in_progress');
      expect(await store.amend({ deliveryId: lease.deliveryId, action: 'cancel' })).toBe('in_progress');
    });

    it('cancels what waits, once and for all', async () => {
      const worker = work();
      const lease = await oneLease(worker);
      await store.record([failUntil(clock, lease, clock.now() + 1_000)]);
      expect(await store.amend({ deliveryId: lease.deliveryId, action: 'cancel' })).toBe('amended');
      expect(await store.amend({ deliveryId: lease.deliveryId, action: 'cancel' })).toBe('final');
      clock.advance(2_000);
      await store.append([newEvent(makeEvent(clock, { id: 'after' }), owe(clock, 'ep_a'))]);
      expect((await worker.next()).event.id).toBe('after');
      expect((await store.reader.deliveriesById([lease.deliveryId]))[0]).toMatchObject({
        status: 'CANCELLED',
      });
    });

    it('says so when there is no such delivery', async () => {
      expect(await store.amend({ deliveryId: 'dlv_00zzzzzz', action: 'retry' })).toBe('not_found');
      expect(await store.amend({ deliveryId: 'rubbish', action: 'cancel' })).toBe('not_found');
    });
  });

  describe('timers', () => {
    it('fires each once, in order of time, over a restart', async () => {
      await store.changeTimers([
        { key: 'b', dueAt: clock.now() + 2_000, payload: '"b"' },
        { key: 'a', dueAt: clock.now() + 1_000, payload: '"a"' },
        { key: 'gone', dueAt: clock.now() + 1_500, payload: '"x"' },
      ]);
      await store.changeTimers([{ key: 'gone', dueAt: null }]);
      store = await harness.reopen();
      clock.advance(3_000);
      const abort = new AbortController();
      const timers = store.dueTimers(abort.signal)[Symbol.asyncIterator]();
      const { value } = await timers.next();
      expect(value.map(({ key, payload }: { key: string; payload: string }) => [key, payload])).toEqual([
        ['a', '"a"'],
        ['b', '"b"'],
      ]);
      await store.changeTimers([{ key: 'a', dueAt: clock.now() + 500, payload: '"again"' }]);
      clock.advance(500);
      expect((await timers.next()).value).toMatchObject([{ key: 'a', payload: '"again"' }]);
      abort.abort();
      expect((await timers.next()).done).toBe(true);
    });
  });

  describe('tail', () => {
    const collect = async (
      tail: AsyncIterator<readonly JournalEntry[]>,
      count: number,
    ): Promise<JournalEntry[]> => {
      const entries: JournalEntry[] = [];
      while (entries.length < count) {
        const { done, value } = await tail.next();
        if (done) throw new Error('the tail has ended');
        entries.push(...value);
      }
      return entries;
    };
    const follow = (
      after: string | null,
      signal = new AbortController().signal,
    ): AsyncIterator<readonly JournalEntry[]> => store.tail(after, signal)[Symbol.asyncIterator]();
    const describeEntry = (entry: JournalEntry): string =>
      entry.kind === 'event'
        ? entry.event.id
        : `${entry.delivery.endpointId} ${entry.delivery.status} ${entry.delivery.attemptCount}`;

    it('shows events and every change of a delivery live, in journal order', async () => {
      const tail = follow(null);
      const worker = work();
      await store.append([newEvent(makeEvent(clock, { id: 'evt-1' }), owe(clock, 'ep_a'))]);
      const lease = await worker.next();
      await store.record([failUntil(clock, lease, clock.now() + 10)]);
      clock.advance(10);
      await store.record([succeed(clock, await worker.next())]);
      const entries = await collect(tail, 4);
      expect(entries.map(describeEntry)).toEqual([
        'evt-1',
        'ep_a PENDING 0',
        'ep_a RETRYING 1',
        'ep_a SUCCEEDED 2',
      ]);
      expect(new Set(entries.map(({ cursor }) => cursor)).size).toBe(4);
    });

    it('gives the same entries to one who comes later, from any cursor, before and after a restart', async () => {
      const start = await store.head();
      const live = follow(null);
      const worker = work();
      for (const id of ['evt-1', 'evt-2', 'evt-3']) {
        await store.append([newEvent(makeEvent(clock, { id }), owe(clock, 'ep_a'))]);
        await store.record([succeed(clock, await worker.next())]);
      }
      const entries = await collect(live, 9);
      expect((await collect(follow(start), 9)).map(({ cursor }) => cursor)).toEqual(
        entries.map(({ cursor }) => cursor),
      );
      store = await harness.reopen();
      const late = await collect(follow(entries[3]!.cursor), 5);
      expect(late.map(describeEntry)).toEqual(entries.slice(4).map(describeEntry));
    });

    it('joins what is stored and what comes live without gap or duplicate', async () => {
      const start = await store.head();
      await store.append(Array.from({ length: 600 }, (_, n) => newEvent(makeEvent(clock, { id: `s${n}` }))));
      const reading = collect(follow(start), 1200);
      for (let n = 600; n < 1200; n += 50) {
        await store.append(
          Array.from({ length: 50 }, (_, k) => newEvent(makeEvent(clock, { id: `s${n + k}` }))),
        );
      }
      const ids = (await reading).map((entry) => (entry.kind === 'event' ? entry.event.id : ''));
      expect(ids).toEqual(Array.from({ length: 1200 }, (_, n) => `s${n}`));
    });

    it('gives a late reader large events in order, with what lies between them', async () => {
      const start = await store.head();
      const large = { text: 'x'.repeat(1024 * 1024) };
      for (let n = 0; n < 20; n++) {
        await store.append([
          newEvent(makeEvent(clock, { id: `large${n}`, data: large }), owe(clock, `ep_${n}`)),
        ]);
      }
      const entries = await collect(follow(start), 40);
      expect(entries.map(describeEntry)).toEqual(
        Array.from({ length: 20 }, (_, n) => [`large${n}`, `ep_${n} PENDING 0`]).flat(),
      );
    });

    it('leaves out what was meant for one endpoint alone, but shows its delivery', async () => {
      const tail = follow(null);
      await store.append([
        { event: makeEvent(clock, { id: 'secret' }), deliveries: [owe(clock, 'ep_a')], direct: true },
      ]);
      await store.append([newEvent(makeEvent(clock, { id: 'open' }))]);
      expect((await collect(tail, 2)).map(describeEntry)).toEqual(['ep_a PENDING 0', 'open']);
    });

    it('ends when it is aborted, also while it waits', async () => {
      const abort = new AbortController();
      const tail = follow(null, abort.signal);
      const waiting = tail.next();
      abort.abort();
      expect((await waiting).done).toBe(true);
    });

    it('refuses a cursor of another epoch, one from the future, and one that is none', async () => {
      await expect(follow('abcdef.12').next()).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
      await expect(follow(`${store.epoch}.zzzzzz`).next()).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
      await expect(follow('rubbish').next()).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    });

    it('refuses a cursor older than what is kept, naming the oldest one', async () => {
      const start = await store.head();
      await store.append([newEvent(makeEvent(clock))]);
      clock.advance(40 * DAY_MS);
      await store.append([newEvent(makeEvent(clock, { id: 'kept' }))]);
      await store.prune({ before: clock.now() - 30 * DAY_MS, rememberIdsMs: 8 * DAY_MS, limit: 100 });
      const error = await follow(start)
        .next()
        .then(
          () => null,
          (caught: unknown) => caught as { code: string; details: { oldestCursor: string } },
        );
      expect(error?.code).toBe('CURSOR_EXPIRED');
      expect((await collect(follow(error!.details.oldestCursor), 1)).map(describeEntry)).toEqual(['kept']);
    });
  });

  describe('pages', () => {
    beforeEach(async () => {
      const types = ['work_order.created', 'operation.started', 'work_order.completed'];
      for (let n = 0; n < 12; n++) {
        await store.append([
          newEvent(
            makeEvent(clock, {
              id: `p${n}`,
              type: types[n % 3]!,
              machine: { id: `m${n % 2}` },
              test: n === 11,
            }),
            owe(clock, 'ep_a'),
            ...(n % 2 === 0 ? [owe(clock, 'ep_b')] : []),
          ),
        ]);
        clock.advance(1_000);
      }
    });
    const eventIds = async (where: object, options: object = {}): Promise<string[]> => {
      const page = await store.reader.events({ where, limit: 50, order: 'newest', after: null, ...options });
      return page.rows.map(({ row }) => row.id);
    };

    it('pages through all events in both directions without gap or repetition', async () => {
      for (const order of ['newest', 'oldest'] as const) {
        const seen: string[] = [];
        let after: string | null = null;
        for (;;) {
          const page = await store.reader.events({ where: {}, limit: 5, order, after });
          seen.push(...page.rows.map(({ row }) => row.id));
          if (!page.hasMore) break;
          after = page.rows.at(-1)!.cursor;
        }
        const expected = Array.from({ length: 12 }, (_, n) => `p${n}`);
        expect(seen).toEqual(order === 'oldest' ? expected : expected.reverse());
      }
    });

    it('filters events by type, family, machine, time and test', async () => {
      expect(await eventIds({ types: ['operation.started'] })).toEqual(['p10', 'p7', 'p4', 'p1']);
      expect(await eventIds({ types: ['work_order.*'] }, { limit: 3 })).toEqual(['p11', 'p9', 'p8']);
      expect(await eventIds({ types: ['nothing.*'] })).toEqual([]);
      expect(await eventIds({ machines: ['m1'], types: ['work_order.*'] })).toEqual([
        'p11',
        'p9',
        'p5',
        'p3',
      ]);
      expect(await eventIds({ test: true })).toEqual(['p11']);
      const base = clock.now() - 12_000;
      expect(await eventIds({ since: base + 2_000, until: base + 4_000 })).toEqual(['p3', 'p2']);
      expect(await eventIds({ sources: ['mes'] }, { limit: 1 })).toEqual(['p11']);
      expect(await eventIds({ sources: ['other'] })).toEqual([]);
    });

    it('filters deliveries by endpoint, type, status and event', async () => {
      const ids = async (where: object): Promise<string[]> => {
        const page = await store.reader.deliveries({ where, limit: 50, order: 'newest', after: null });
        return page.rows.map(({ row }) => `${row.endpointId}:${row.eventId}`);
      };
      expect(await ids({ endpointIds: ['ep_b'], types: ['work_order.*'] })).toEqual([
        'ep_b:p8',
        'ep_b:p6',
        'ep_b:p2',
        'ep_b:p0',
      ]);
      expect(await ids({ eventIds: ['p2'] })).toEqual(['ep_b:p2', 'ep_a:p2']);
      expect(await ids({ endpointIds: ['ep_a', 'ep_b'], types: ['operation.started'] })).toHaveLength(6);
      expect(await ids({ statuses: ['SUCCEEDED'] })).toEqual([]);
      const worker = work({ maxInFlight: 1 });
      await store.record([succeed(clock, await worker.next())]);
      expect(await ids({ statuses: ['SUCCEEDED'] })).toEqual(['ep_a:p0']);
      await worker.stop();
      expect(await ids({ statuses: ['PENDING'] })).toHaveLength(17);
      expect(await ids({ statuses: ['PENDING', 'SUCCEEDED'] })).toHaveLength(18);
    });

    it('gives large events in smaller pages, and leaves none out', async () => {
      const large = { text: 'x'.repeat(1024 * 1024) };
      for (let n = 0; n < 20; n++) {
        await store.append([
          newEvent(makeEvent(clock, { id: `large${n}`, type: `big.t${n % 2}`, data: large })),
        ]);
      }
      for (const where of [{ types: ['big.*'] }, { types: ['big.t0', 'big.t1'] }]) {
        const seen: string[] = [];
        let after: string | null = null;
        for (;;) {
          const page: Awaited<ReturnType<typeof store.reader.events>> = await store.reader.events({
            where,
            limit: 500,
            order: 'newest',
            after,
          });
          expect(page.rows.length).toBeLessThan(20);
          seen.push(...page.rows.map(({ row }) => row.id));
          if (!page.hasMore) break;
          after = page.rows.at(-1)!.cursor;
        }
        expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => `large${19 - n}`));
      }
    });

    it('knows what is open', async () => {
      expect(await store.reader.backlog()).toEqual({ open: 18, oldestDueAt: clock.now() - 12_000, held: 0 });
      await store.setLanes([{ endpointId: 'ep_b', held: true, maxConcurrency: 4 }]);
      expect(await store.reader.backlog()).toEqual({ open: 12, oldestDueAt: clock.now() - 12_000, held: 6 });
    });
  });

  describe('prune', () => {
    it('forgets old events with their deliveries and attempts, never one that is still owed', async () => {
      const worker = work({ maxInFlight: 1 });
      await store.append([newEvent(makeEvent(clock, { id: 'done' }), owe(clock, 'ep_a'))]);
      const lease = await worker.next();
      await store.record([succeed(clock, lease)]);
      await worker.stop();
      await store.append([newEvent(makeEvent(clock, { id: 'owed' }), owe(clock, 'ep_a'))]);
      clock.advance(40 * DAY_MS);
      const pruned = await store.prune({
        before: clock.now() - 30 * DAY_MS,
        rememberIdsMs: 8 * DAY_MS,
        limit: 100,
      });
      expect(pruned).toBe(1);
      expect((await store.reader.eventsById(['done', 'owed'])).map((event) => event?.id ?? null)).toEqual([
        null,
        'owed',
      ]);
      expect(await store.reader.deliveriesById([lease.deliveryId])).toEqual([null]);
      expect(await store.reader.attempts([lease.deliveryId])).toEqual([[]]);
    });

    it('remembers ids longer than events where it is told to', async () => {
      await store.append([newEvent(makeEvent(clock, { id: 'evt-1' }))]);
      clock.advance(2 * DAY_MS);
      const prune = (): Promise<number> =>
        store.prune({ before: clock.now() - DAY_MS, rememberIdsMs: 8 * DAY_MS, limit: 100 });
      await prune();
      expect(await store.reader.eventsById(['evt-1'])).toEqual([null]);
      expect(await store.append([newEvent(makeEvent(clock, { id: 'evt-1' }))])).toEqual([
        { kind: 'duplicate', id: 'evt-1' },
      ]);
      clock.advance(7 * DAY_MS);
      await prune();
      expect(await store.append([newEvent(makeEvent(clock, { id: 'evt-1' }))])).toMatchObject([
        { kind: 'accepted' },
      ]);
    });

    it('goes through many in slices and says when nothing is left', async () => {
      await store.append(Array.from({ length: 25 }, () => newEvent(makeEvent(clock))));
      clock.advance(40 * DAY_MS);
      const slice = { before: clock.now() - DAY_MS, rememberIdsMs: DAY_MS, limit: 10 };
      expect([await store.prune(slice), await store.prune(slice), await store.prune(slice)]).toEqual([
        10, 10, 5,
      ]);
    });

    it('never gives a place in the journal twice, whatever was forgotten', async () => {
      await store.append([newEvent(makeEvent(clock))]);
      const head = await store.head();
      clock.advance(40 * DAY_MS);
      await store.prune({ before: clock.now(), rememberIdsMs: 0, limit: 10 });
      store = await harness.reopen();
      const [result] = await store.append([newEvent(makeEvent(clock))]);
      expect(result).toMatchObject({ kind: 'accepted' });
      expect(await store.head()).not.toBe(head);
    });
  });
}
