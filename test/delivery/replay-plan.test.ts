import { describe, expect, it } from 'vitest';
import { startDelivery } from '../support/delivery-harness.ts';
import { makeEvent, newEvent, owe as oweOf } from '../support/store-fixtures.ts';
import { publish, rowsOf, startProcess, untilAll, withOwe } from './support/replay-process.ts';

const REFUSED = { outcome: 'HTTP_STATUS', statusCode: 500 } as const;

describe('what a replay queues', () => {
  it('takes what was received from since until before until, and what the filter lets through', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const [early, first, other] = [
      ...(await publish(delivery, 2)),
      ...(await publish(delivery, 1, 'alarm.triggered')),
    ];
    const last = (await publish(delivery, 1))[0];
    await untilAll(delivery, [early!, first!, other!, last!], 'SUCCEEDED');
    const now = delivery.clock.now();
    await using process = await startProcess(delivery);
    const { run } = process;
    const job = await run({
      endpointId,
      since: now - 2000,
      until: now,
      where: { types: ['work_order.*', 'alarm.*'] },
    });
    expect(job).toMatchObject({ total: 2, queued: 2 });
    await untilAll(delivery, [first!, other!], 'SUCCEEDED', 1);
    expect(await run({ endpointId, where: { types: ['alarm.*'], until: now + 1 } })).toMatchObject({
      queued: 1,
    });
    await untilAll(delivery, [other!], 'SUCCEEDED', 2);
    expect((await rowsOf(delivery, endpointId)).map(({ generation }) => generation)).toEqual([0, 1, 2, 0]);
  });

  it('queues only what the endpoint subscribes to: types, machines and its filter', async () => {
    await using delivery = await startDelivery();
    delivery.evaluate = (_source, { data }) => ({ ok: true, value: (data as { n: number }).n !== 1 });
    await publish(delivery, 3);
    await publish(delivery, 1, 'alarm.triggered');
    const endpointId = await delivery.createEndpoint({ events: ['workorder.created'], filter: 'n != 1' });
    const picky = await delivery.createEndpoint({ events: ['*'], machines: ['m-1'] });
    await using process = await startProcess(delivery);
    const { replays } = process;
    expect(await replays.start({ endpointId, since: 0, dryRun: true })).toEqual({ count: 2, job: null });
    expect(await replays.start({ endpointId: picky, since: 0, dryRun: true })).toMatchObject({ count: 0 });
  });

  it('counts exactly and writes nothing when it is only asked how many', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ events: ['work_order.created'] });
    await delivery.endpoints.update(endpointId, { active: false });
    const events = Array.from({ length: 2500 }, (_, index) =>
      newEvent(
        makeEvent(delivery.clock, { type: index % 5 === 0 ? 'alarm.triggered' : 'work_order.created' }),
      ),
    );
    await delivery.store.append(events);
    await using process = await startProcess(delivery);
    const { replays, run } = process;
    const before = await delivery.store.head();
    const input = { endpointId, since: 0, onlyMissing: true };
    expect(await replays.start({ ...input, dryRun: true })).toEqual({ count: 2000, job: null });
    expect(await delivery.store.head()).toBe(before);
    expect(replays.list()).toEqual([]);
    expect(await run({ ...input, perSecond: 1000 })).toMatchObject({ total: 2000, queued: 2000 });
    expect(await replays.start({ ...input, dryRun: true })).toEqual({ count: 0, job: null });
  });

  it('of only what failed leaves alone what got through, what was replaced and what never was', async () => {
    await using delivery = await startDelivery();
    const { store, clock, endpoints } = delivery;
    const endpointId = await delivery.createEndpoint({ retrySchedule: ['0s', '0s', '0s', '0s', '0s', '1d'] });
    const good = await publish(delivery, 1);
    await untilAll(delivery, good, 'SUCCEEDED');
    delivery.farEnd = () => REFUSED;
    const failed = await publish(delivery, 1);
    await untilAll(delivery, failed, 'FAILED');
    await endpoints.update(endpointId, { retrySchedule: ['0s'] });
    const exhausted = await publish(delivery, 1);
    await untilAll(delivery, exhausted, 'EXHAUSTED');
    await endpoints.update(endpointId, { paused: true });
    const debt = oweOf(clock, endpointId, { orderKey: 'k', supersedes: true });
    const [, newer] = await store.append([
      newEvent(makeEvent(clock, { id: 'old' }), debt),
      newEvent(makeEvent(clock, { id: 'new' }), debt),
      newEvent(makeEvent(clock)),
    ]);
    await delivery.deliveries.cancel(newer!.kind === 'accepted' ? newer!.deliveryIds[0]! : '');
    await endpoints.update(endpointId, { paused: false });
    delivery.farEnd = () => ({});
    await using process = await startProcess(delivery);
    const job = await process.run({ endpointId, onlyFailed: true });
    expect(job).toMatchObject({ total: 3, queued: 3, skipped: 0 });
    await untilAll(delivery, [...failed, ...exhausted, 'new'], 'SUCCEEDED', 1);
    const rows = await rowsOf(delivery, endpointId);
    expect(rows.map(({ eventId, status }) => [eventId, status])).toEqual([
      [good[0], 'SUCCEEDED'],
      [failed[0], 'SUCCEEDED'],
      [exhausted[0], 'SUCCEEDED'],
      ['old', 'SUPERSEDED'],
      ['new', 'SUCCEEDED'],
    ]);
  });

  it('of only what is missing queues what came while the endpoint was off, and nothing twice', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const sent = await publish(delivery, 1);
    await untilAll(delivery, sent, 'SUCCEEDED');
    await delivery.endpoints.update(endpointId, { active: false });
    const missed = await publish(delivery, 3);
    await delivery.endpoints.update(endpointId, { active: true });
    await using process = await startProcess(delivery);
    const { run } = process;
    expect(await run({ endpointId, onlyMissing: true })).toMatchObject({ total: 3, queued: 3, skipped: 0 });
    await untilAll(delivery, missed, 'SUCCEEDED');
    expect(delivery.attempts.map(({ event }) => event.id)).toEqual([...sent, ...missed]);
    expect(await run({ endpointId, onlyMissing: true })).toMatchObject({ total: 0, queued: 0 });
  });

  it('of only what is missing leaves alone what came about in the meantime', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    await delivery.endpoints.update(endpointId, { active: false });
    const ids = await publish(delivery, 2);
    await delivery.endpoints.update(endpointId, { active: true });
    const store = withOwe(delivery.store, async (owe) => {
      const debt = { eventId: ids[0]!, deliveries: [oweOf(delivery.clock, endpointId)] };
      await delivery.store.owe([debt]);
      await untilAll(delivery, ids.slice(0, 1), 'SUCCEEDED');
      return owe();
    });
    await using process = await startProcess(delivery, store);
    const job = await process.run({ endpointId, onlyMissing: true });
    expect(job).toMatchObject({ total: 2, queued: 1, skipped: 1 });
    await untilAll(delivery, ids, 'SUCCEEDED');
    expect(delivery.attempts).toHaveLength(2);
  });

  it('holds what the filter raises an error on, and never sends that again unasked', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const sent = await publish(delivery, 1);
    await untilAll(delivery, sent, 'SUCCEEDED');
    await delivery.endpoints.update(endpointId, { active: false });
    await publish(delivery, 1);
    await delivery.endpoints.update(endpointId, { active: true, filter: '$broken(' });
    delivery.evaluate = () => ({ ok: false, code: 'S0211', message: 'It is broken.' });
    await using process = await startProcess(delivery);
    const { run } = process;
    expect(await run({ endpointId })).toMatchObject({ queued: 1, skipped: 1 });
    const rows = await rowsOf(delivery, endpointId);
    expect(rows.map(({ status, reason, generation }) => [status, reason, generation])).toEqual([
      ['SUCCEEDED', null, 0],
      ['HELD', 'filter_failed', 0],
    ]);
  });

  it('of old news does not take the place of newer news that waits', async () => {
    await using delivery = await startDelivery();
    delivery.evaluate = () => ({ ok: true, value: 'machine-1' });
    const endpointId = await delivery.createEndpoint({ orderBy: 'machine.id', newestOnly: true });
    await delivery.endpoints.update(endpointId, { active: false });
    const [old] = await publish(delivery, 1);
    await delivery.endpoints.update(endpointId, { active: true, paused: true });
    const [newer] = await publish(delivery, 1);
    await using process = await startProcess(delivery);
    const { run } = process;
    expect(await run({ endpointId, onlyMissing: true })).toMatchObject({ queued: 1 });
    const rows = await rowsOf(delivery, endpointId);
    expect(rows.map(({ eventId, status, orderKey }) => [eventId, status, orderKey])).toEqual([
      [newer, 'HELD', 'machine-1'],
      [old, 'HELD', 'machine-1'],
    ]);
  });

  it('never tells an endpoint about its own failures', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ events: ['*', 'hookline.*'], retrySchedule: ['0s'] });
    const other = await delivery.createEndpoint({ events: ['hookline.*'] });
    delivery.farEnd = ({ endpointId: to }) => (to === endpointId ? REFUSED : {});
    const [failed] = await publish(delivery, 1);
    await untilAll(delivery, [failed!], 'EXHAUSTED');
    await delivery.waitForDelivery((row) => row.endpointId === other && row.status === 'SUCCEEDED');
    await using process = await startProcess(delivery);
    const { replays } = process;
    const count = async (id: string): Promise<number> =>
      (await replays.start({ endpointId: id, since: 0, dryRun: true })).count;
    expect([await count(endpointId), await count(other)]).toEqual([1, 1]);
  });
});
