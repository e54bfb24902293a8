import { describe, expect, it } from 'vitest';
import { startDelivery } from '../support/delivery-harness.ts';

const DAY_MS = 86_400_000;
const REFUSED = { outcome: 'HTTP_STATUS', statusCode: 500 } as const;

describe('the delivery worker', () => {
  it('delivers an event to every endpoint that subscribes to it, once each', async () => {
    await using delivery = await startDelivery();
    const all = await delivery.createEndpoint({ events: ['*'] });
    const family = await delivery.createEndpoint({ events: ['work_order.*'] });
    await delivery.createEndpoint({ events: ['quality.ncr_created'] });
    await delivery.events.publish({ type: 'work_order.created', data: { workOrder: { id: 'wo-1' } } });
    for (const id of [all, family]) {
      await delivery.waitForDelivery((row) => row.endpointId === id && row.status === 'SUCCEEDED');
    }
    expect(delivery.attempts.map(({ endpointId }) => endpointId).sort()).toEqual([all, family].sort());
  });

  it('keeps the promised schedule over a week: 12 attempts with the same id, then the dead letter', async () => {
    await using delivery = await startDelivery();
    // One event is refused all week; others go through, or the endpoint would be switched off after five days.
    delivery.farEnd = ({ event }) => (event.id === 'evt-refused' ? REFUSED : {});
    await delivery.createEndpoint();
    const id = 'evt-refused';
    await delivery.events.publish({ id, type: 'work_order.created', data: {} });
    const startedAt = delivery.clock.now();
    const times: number[] = [];
    for (let attempt = 1; attempt <= 12; attempt++) {
      const row = await delivery.waitForDelivery(
        ({ eventId, attemptCount }) => eventId === id && attemptCount === attempt,
      );
      times.push(delivery.clock.now() - startedAt);
      const expected = attempt < 5 ? 'RETRYING' : attempt < 12 ? 'FAILED' : 'EXHAUSTED';
      expect(row.status).toBe(expected);
      if (row.nextAttemptAt !== null) delivery.clock.set(row.nextAttemptAt);
      const { id: other } = await delivery.events.publish({ type: 'work_order.started', data: {} });
      await delivery.waitForDelivery(({ eventId, status }) => eventId === other && status === 'SUCCEEDED');
    }
    const minutes = 2_135_000;
    expect(times).toEqual([
      0,
      5_000,
      35_000,
      335_000,
      minutes,
      ...[1, 2, 3, 4, 5, 6, 7].map((day) => minutes + day * DAY_MS),
    ]);
    const refused = delivery.attempts.filter(({ event }) => event.id === id);
    expect(refused.map(({ event }) => event.id)).toEqual(Array(12).fill(id));
    expect(refused.map(({ attemptNumber }) => attemptNumber)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ]);
    expect(delivery.clock.nextWakeAt).toBeNull();
  });

  it('follows an endpoint’s own schedule and delay', async () => {
    await using delivery = await startDelivery();
    delivery.farEnd = () => REFUSED;
    await delivery.createEndpoint({ retrySchedule: ['0s', '2m'], delaySeconds: 10 });
    await delivery.events.publish({ type: 'work_order.created', data: {} });
    expect(delivery.attempts).toHaveLength(0);
    delivery.clock.advance(10_000);
    const first = await delivery.waitForDelivery(({ attemptCount }) => attemptCount === 1);
    expect(first.nextAttemptAt).toBe(delivery.clock.now() + 120_000);
    delivery.clock.advance(120_000);
    expect(await delivery.waitForDelivery(({ attemptCount }) => attemptCount === 2)).toMatchObject({
      status: 'EXHAUSTED',
    });
  });

  it('holds what a paused endpoint is owed and delivers it when it goes on', async () => {
    await using delivery = await startDelivery();
    const id = await delivery.createEndpoint();
    await delivery.endpoints.update(id, { paused: true });
    await delivery.events.publish({ type: 'work_order.created', data: {} });
    const page = await delivery.store.reader.deliveries({
      where: {},
      limit: 5,
      order: 'newest',
      after: null,
    });
    expect(page.rows[0]?.row).toMatchObject({ status: 'HELD', reason: 'endpoint_held' });
    expect(delivery.attempts).toHaveLength(0);
    await delivery.endpoints.update(id, { paused: false });
    await delivery.waitForDelivery(({ status }) => status === 'SUCCEEDED');
  });

  it('queues nothing new for an endpoint that is switched off', async () => {
    await using delivery = await startDelivery();
    const id = await delivery.createEndpoint();
    await delivery.endpoints.update(id, { active: false });
    await delivery.events.publish({ type: 'work_order.created', data: {} });
    const page = await delivery.store.reader.deliveries({
      where: {},
      limit: 5,
      order: 'newest',
      after: null,
    });
    expect(page.rows).toEqual([]);
  });

  it('cancels what is still owed to a deleted endpoint once it falls due', async () => {
    await using delivery = await startDelivery();
    delivery.farEnd = () => REFUSED;
    const id = await delivery.createEndpoint();
    await delivery.events.publish({ type: 'work_order.created', data: {} });
    const row = await delivery.waitForDelivery(({ status }) => status === 'RETRYING');
    await delivery.endpoints.remove(id);
    delivery.clock.set(row.nextAttemptAt!);
    const over = await delivery.waitForDelivery(({ status }) => status === 'CANCELLED');
    expect(over).toMatchObject({ id: row.id, reason: 'endpoint_gone', attemptCount: 1 });
    expect(delivery.attempts).toHaveLength(1);
  });

  it('switches an endpoint off whose receiver says that it is gone', async () => {
    await using delivery = await startDelivery();
    delivery.farEnd = () => ({ outcome: 'HTTP_STATUS', statusCode: 410 });
    const id = await delivery.createEndpoint();
    await delivery.events.publish({ type: 'work_order.created', data: {} });
    expect(await delivery.waitForDelivery(({ status }) => status === 'REJECTED')).toMatchObject({
      reason: 'gone',
    });
    await expect.poll(() => delivery.endpoints.find(id)?.active).toBe(false);
  });

  it('writes one line per attempt with every id and the decision', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const event = await delivery.events.publish({
      type: 'work_order.created',
      data: { secret: 'not in the log' },
    });
    const row = await delivery.waitForDelivery(({ status }) => status === 'SUCCEEDED');
    const line = delivery.log.find(({ message }) => message === 'delivery.attempted');
    expect(line?.fields).toMatchObject({
      eventId: event.id,
      deliveryId: row.id,
      endpointId,
      attempt: 1,
      outcome: 'SUCCESS',
      status: 'SUCCEEDED',
      nextAttemptAt: null,
    });
    expect(JSON.stringify(delivery.log)).not.toContain('not in the log');
  });
});

describe('what people ask of deliveries', () => {
  it('sends a test event of a catalogued type, marked as a test, to one endpoint alone', async () => {
    await using delivery = await startDelivery();
    const id = await delivery.createEndpoint({ events: ['work_order.*'] });
    await delivery.createEndpoint({ events: ['*'] });
    const row = await delivery.deliveries.sendTest(id, 'quality.ncr_created');
    expect(row).toMatchObject({ endpointId: id, test: true, eventType: 'quality.ncr_created' });
    expect(row.eventId).toMatch(/^evt_test_/);
    await delivery.waitForDelivery(({ status }) => status === 'SUCCEEDED');
    expect(delivery.attempts).toHaveLength(1);
    await expect(delivery.deliveries.sendTest(id, 'no.such_type')).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    await expect(delivery.deliveries.sendTest('ep_none', 'quality.ncr_created')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('sends one message per idempotency key', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ events: ['quality.*'] });
    const cause = await delivery.events.publish({ type: 'alarm.triggered', data: {} });
    const input = {
      endpointId,
      payload: { text: 'down' },
      eventId: cause.id,
      idempotencyKey: 'run-1/node-2',
    };
    const first = await delivery.deliveries.sendTo(input);
    const again = await delivery.deliveries.sendTo({ ...input, payload: { text: 'other' } });
    expect(again.id).toBe(first.id);
    await delivery.waitForDelivery(({ status }) => status === 'SUCCEEDED');
    expect(delivery.attempts).toHaveLength(1);
    expect(JSON.parse(delivery.attempts[0]!.event.body)).toMatchObject({
      type: 'alarm.triggered',
      data: { text: 'down' },
    });
    const events = await delivery.store.reader.events({ where: {}, limit: 10, order: 'newest', after: null });
    expect(events.rows.map(({ row }) => row.id)).toEqual([cause.id]);
  });

  it('retries by hand what is over, and cancels what waits', async () => {
    await using delivery = await startDelivery();
    delivery.farEnd = () => REFUSED;
    await delivery.createEndpoint({ retrySchedule: ['0s'] });
    await delivery.events.publish({ type: 'work_order.created', data: {} });
    const over = await delivery.waitForDelivery(({ status }) => status === 'EXHAUSTED');
    delivery.farEnd = () => ({});
    await delivery.deliveries.retry(over.id);
    const done = await delivery.waitForDelivery(({ status }) => status === 'SUCCEEDED');
    expect(done).toMatchObject({ id: over.id, attemptCount: 2, generation: 1 });
    await expect(delivery.deliveries.cancel(over.id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(delivery.deliveries.retry('dlv_00zzzzzz')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('refuses events that pass for operational ones, go in circles or have no proper type', async () => {
    await using delivery = await startDelivery();
    const publish = (type: string, hops = 0): Promise<unknown> =>
      delivery.events.publish({ type, data: {}, hops });
    await expect(publish('hookline.delivery.failed')).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      details: { field: 'type' },
    });
    await expect(publish('no spaces')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(publish('work_order.created', 5)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('returns the stored event when the same id is published again', async () => {
    await using delivery = await startDelivery();
    const first = await delivery.events.publish({ id: 'evt-1', type: 'work_order.created', data: { n: 1 } });
    const again = await delivery.events.publish({ id: 'evt-1', type: 'work_order.created', data: { n: 2 } });
    expect(again).toEqual(first);
    const own = await delivery.events.publish({ id: 'dlv_mine', type: 'work_order.created', data: {} });
    expect(own.id).toBe('api:dlv_mine');
  });
});
