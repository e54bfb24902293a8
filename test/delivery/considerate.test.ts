import { describe, expect, it } from 'vitest';
import { startDelivery, type DeliveryHarness } from '../support/delivery-harness.ts';

const DAY_MS = 86_400_000;
const FAILED = { outcome: 'HTTP_STATUS', statusCode: 500 } as const;

async function publish(
  delivery: DeliveryHarness,
  type = 'work_order.created',
  data: object = {},
): Promise<string> {
  return (await delivery.events.publish({ type, data })).id;
}

describe('listening to the receiver', () => {
  it('lets the whole endpoint rest for as long as a 429 asks, and loses no step of the schedule', async () => {
    await using delivery = await startDelivery();
    await delivery.createEndpoint();
    delivery.farEnd = () => ({ outcome: 'HTTP_STATUS', statusCode: 429, retryAfterMs: 20_000 });
    await publish(delivery);
    const first = await delivery.waitForDelivery(({ attemptCount }) => attemptCount === 1);
    expect(first).toMatchObject({
      status: 'RETRYING',
      step: 0,
      nextAttemptAt: delivery.clock.now() + 20_000,
    });
    await publish(delivery);
    expect(delivery.attempts).toHaveLength(1);
    delivery.farEnd = () => ({});
    delivery.clock.advance(20_000);
    await expect.poll(() => delivery.attempts.length).toBe(3);
  });

  it('stops hammering a receiver that fails ten times in a row and keeps what it is owed', async () => {
    await using delivery = await startDelivery();
    const id = await delivery.createEndpoint({ retrySchedule: ['0s'], maxConcurrency: 1 });
    delivery.farEnd = () => FAILED;
    for (let n = 0; n < 15; n++) await publish(delivery);
    await expect.poll(() => delivery.attempts.length).toBe(10);
    const [state] = await delivery.store.laneStates([id]);
    expect(state).toMatchObject({ circuit: 'open', failuresInRow: 10 });
    delivery.clock.advance(59_000);
    expect(delivery.attempts).toHaveLength(10);
    delivery.farEnd = () => ({});
    delivery.clock.advance(1_000);
    await expect.poll(() => delivery.attempts.length).toBe(15);
  });

  it('switches an endpoint off that had nothing but failures for five days, and tells who asked to know', async () => {
    await using delivery = await startDelivery();
    const failing = await delivery.createEndpoint({
      url: 'https://failing.example/',
      events: ['work_order.*', 'hookline.*'],
    });
    const watcher = await delivery.createEndpoint({
      url: 'https://watcher.example/',
      events: ['hookline.endpoint.disabled'],
    });
    delivery.farEnd = ({ endpointId }) => (endpointId === failing ? FAILED : {});
    await publish(delivery);
    await delivery.waitForDelivery(
      ({ endpointId, attemptCount }) => endpointId === failing && attemptCount === 1,
    );
    delivery.clock.advance(5 * DAY_MS);
    await delivery.waitForDelivery(
      ({ endpointId, status }) => endpointId === watcher && status === 'SUCCEEDED',
    );
    expect(delivery.endpoints.find(failing)).toMatchObject({
      active: false,
      disabledReason: 'failing_too_long',
    });
    const told = delivery.attempts.filter(({ event }) => event.type === 'hookline.endpoint.disabled');
    expect(told.map(({ endpointId }) => endpointId)).toEqual([watcher]);
  });

  it('forgives what failed before a person switched the endpoint on again', async () => {
    await using delivery = await startDelivery();
    const id = await delivery.createEndpoint({ retrySchedule: ['0s', '5d', '1h'] });
    delivery.farEnd = () => FAILED;
    await publish(delivery);
    await delivery.waitForDelivery(({ attemptCount }) => attemptCount === 1);
    delivery.clock.advance(5 * DAY_MS);
    await delivery.waitForDelivery(({ attemptCount }) => attemptCount === 2);
    await expect.poll(() => delivery.endpoints.find(id)?.active).toBe(false);
    await delivery.endpoints.update(id, { active: true });
    delivery.clock.advance(3_600_000);
    await delivery.waitForDelivery(({ attemptCount }) => attemptCount === 3);
    expect(delivery.endpoints.find(id)).toMatchObject({ active: true, disabledReason: null });
  });

  it('tells about a failed and an exhausted delivery once each, never the receiver that fails', async () => {
    await using delivery = await startDelivery();
    const failing = await delivery.createEndpoint({
      url: 'https://failing.example/',
      events: ['work_order.*', 'hookline.*'],
    });
    const watcher = await delivery.createEndpoint({
      url: 'https://watcher.example/',
      events: ['hookline.delivery.*'],
    });
    delivery.farEnd = ({ endpointId }) => (endpointId === failing ? FAILED : {});
    await publish(delivery);
    for (let attempt = 1; attempt <= 6; attempt++) {
      const row = await delivery.waitForDelivery(
        ({ endpointId, attemptCount }) => endpointId === failing && attemptCount === attempt,
      );
      if (attempt < 6) delivery.clock.set(row.nextAttemptAt!);
    }
    await delivery.waitForDelivery(
      ({ endpointId, status }) => endpointId === watcher && status === 'SUCCEEDED',
    );
    const told = delivery.attempts.filter(({ event }) => event.type.startsWith('hookline.'));
    expect(told.map(({ endpointId, event }) => [endpointId, event.type])).toEqual([
      [watcher, 'hookline.delivery.failed'],
    ]);
    expect(JSON.parse(told[0]!.event.body)).toMatchObject({
      data: {
        delivery: { status: 'FAILED', attemptCount: 5 },
        endpoint: { id: failing },
        lastAttempt: { statusCode: 500 },
      },
    });
  });

  it('drops what is older than its time to live', async () => {
    await using delivery = await startDelivery();
    await delivery.createEndpoint({ timeToLiveSeconds: 60 });
    delivery.farEnd = () => ({ ...FAILED, retryAfterMs: 120_000 });
    await publish(delivery);
    await delivery.waitForDelivery(({ attemptCount }) => attemptCount === 1);
    delivery.clock.advance(120_000);
    const row = await delivery.waitForDelivery(({ status }) => status === 'EXPIRED');
    expect(row).toMatchObject({ reason: 'time_to_live_passed', attemptCount: 1 });
  });
});

describe('users’ expressions', () => {
  it('deliver what the filter says, and hold with the reason what it fails on', async () => {
    await using delivery = await startDelivery();
    delivery.evaluate = (_source, { data }) => {
      const { n } = data as { n: number };
      return n === 3 ? { ok: false, code: 'EXPRESSION_ERROR', message: 'no' } : { ok: true, value: n === 1 };
    };
    await delivery.createEndpoint({ filter: 'data.n = 1' });
    for (const n of [1, 2, 3]) await publish(delivery, 'work_order.created', { n });
    await delivery.waitForDelivery(({ status }) => status === 'SUCCEEDED');
    const page = await delivery.store.reader.deliveries({
      where: {},
      limit: 10,
      order: 'oldest',
      after: null,
    });
    expect(page.rows.map(({ row }) => [row.status, row.reason])).toEqual([
      ['SUCCEEDED', null],
      ['HELD', 'filter_failed'],
    ]);
  });

  it('wait for the worker where they are not plain', async () => {
    await using delivery = await startDelivery();
    delivery.evaluate = () => Promise.resolve({ ok: true, value: true });
    await delivery.createEndpoint({ filter: '$contains(type, /x/)' });
    await publish(delivery);
    await delivery.waitForDelivery(({ status }) => status === 'SUCCEEDED');
  });

  it('order deliveries by key: a failing key waits alone, and goes on from where it stopped', async () => {
    await using delivery = await startDelivery();
    delivery.evaluate = (_source, { data }) => ({ ok: true, value: (data as { key: string }).key });
    await delivery.createEndpoint({ orderBy: 'data.key' });
    let brokenA = true;
    delivery.farEnd = ({ event }) => (brokenA && event.body.includes('"key":"a"') ? FAILED : {});
    const send = (key: string, n: number): Promise<string> =>
      publish(delivery, 'work_order.created', { key, n });
    for (let n = 1; n <= 3; n++) {
      await send('a', n);
      await send('b', n);
    }
    const sent = (key: string): number[] =>
      delivery.attempts
        .map(({ event }) => (JSON.parse(event.body) as { data: { key: string; n: number } }).data)
        .filter((data) => data.key === key)
        .map(({ n }) => n);
    await expect.poll(() => sent('b')).toEqual([1, 2, 3]);
    expect(sent('a')).toEqual([1]);
    brokenA = false;
    delivery.clock.advance(5_000);
    await expect.poll(() => sent('a')).toEqual([1, 1, 2, 3]);
  });
});
