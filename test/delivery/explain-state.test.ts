import { describe, expect, it } from 'vitest';
import { startDelivery } from '../support/delivery-harness.ts';
import { failUntil, makeEvent, newEvent, owe, TestWorker } from '../support/store-fixtures.ts';
import { createFlow, explain, iso, publish, storeOwed } from './support/explain-delivery.ts';

const REFUSED = { outcome: 'HTTP_STATUS', statusCode: 500 } as const;

describe('a delivery that is over, or under way', () => {
  it('was delivered: when, and after how many attempts', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    let failures = 1;
    delivery.farEnd = () => (failures-- > 0 ? REFUSED : {});
    const eventId = await publish(delivery);
    const row = await delivery.waitForDelivery(({ status }) => status === 'RETRYING');
    delivery.clock.set(row.nextAttemptAt!);
    await delivery.waitForDelivery(({ status }) => status === 'SUCCEEDED');
    const explanation = await explain(delivery, eventId, endpointId);
    expect(explanation).toMatchObject({
      code: 'DELIVERED',
      sentence: `It was delivered on ${iso(delivery.clock.now())}, after 2 attempts.`,
      delivery: { id: row.id, status: 'SUCCEEDED' },
      nextAttempt: null,
    });
    expect(explanation.clauses.every(({ matched }) => matched)).toBe(true);
  });

  it.each([
    [
      REFUSED,
      'its schedule is used up; the last time the receiver answered with status 500. Retry or replay it.',
    ],
    [{ outcome: 'TIMEOUT', statusCode: null } as const, 'the last time no answer came in time.'],
    [
      { outcome: 'REFUSED_BY_POLICY', statusCode: null } as const,
      'because no further one can help: the egress policy does not allow the address. Mend that, then retry it.',
    ],
  ])('is over after %j', async (outcome, end) => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ retrySchedule: ['0s'] });
    delivery.farEnd = () => outcome;
    const eventId = await publish(delivery);
    await delivery.waitForDelivery(({ completedAt }) => completedAt !== null);
    const { code, sentence, nextAttempt } = await explain(delivery, eventId, endpointId);
    expect([code, nextAttempt]).toEqual(['OVER', null]);
    expect(sentence).toContain(`It was given up on ${iso(delivery.clock.now())}, after 1 attempt, because`);
    expect(sentence).toContain(end);
  });

  it('is over because a newer one took its place', async () => {
    await using delivery = await startDelivery();
    const { store, clock } = delivery;
    const endpointId = await createFlow(delivery);
    const debt = owe(clock, endpointId, { pool: endpointId, orderKey: 'wo-1', supersedes: true });
    const [old] = await store.append([
      newEvent(makeEvent(clock), debt),
      newEvent(makeEvent(clock), debt),
      newEvent(makeEvent(clock)),
    ]);
    expect(await explain(delivery, old!.id, endpointId)).toMatchObject({
      code: 'OVER',
      sentence: `It was left out on ${iso(clock.now())}, because a newer one of the same key came.`,
      orderKey: 'wo-1',
    });
  });

  it('is over because somebody called it off', async () => {
    await using delivery = await startDelivery();
    const endpointId = await createFlow(delivery);
    const eventId = await storeOwed(delivery, endpointId);
    const { delivery: row } = await explain(delivery, eventId, endpointId);
    await delivery.deliveries.cancel(row!.id);
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'OVER',
      sentence: `It ended on ${iso(delivery.clock.now())}, after 0 attempts, because it was called off by hand.`,
    });
  });

  it('is being sent', async () => {
    await using delivery = await startDelivery();
    const endpointId = await createFlow(delivery);
    const eventId = await storeOwed(delivery, endpointId);
    const consumer = new TestWorker(delivery.store, { pool: endpointId });
    await consumer.next();
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'SENDING',
      sentence: 'Attempt 1 is under way.',
      delivery: { status: 'SENDING' },
    });
    await consumer.stop();
  });
});

describe('a delivery that waits for a change', () => {
  it('is held while the endpoint is paused', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    await delivery.endpoints.update(endpointId, { paused: true });
    const eventId = await publish(delivery);
    const explanation = await explain(delivery, eventId, endpointId);
    expect(explanation).toMatchObject({
      code: 'HELD_PAUSED',
      sentence: `The endpoint is paused since ${iso(delivery.clock.now())} at the latest: the delivery waits until it goes on.`,
      delivery: { status: 'HELD' },
      nextAttempt: null,
    });
    expect(explanation.clauses[0]!.detail).toBe('the endpoint is switched on, and paused');
  });

  it('is held while the endpoint is off', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    delivery.farEnd = () => REFUSED;
    const eventId = await publish(delivery);
    await delivery.waitForDelivery(({ status }) => status === 'RETRYING');
    await delivery.endpoints.update(endpointId, { active: false });
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'HELD_OFF',
      sentence: 'The endpoint is switched off: the delivery waits until it is switched on.',
    });
  });

  it.each([
    ['order_failed', 'the expression for the key of the endpoint raised an error on this event'],
    ['payload_failed', 'the payload template of the endpoint raised an error on this event'],
    ['something_new', 'the reason is something_new'],
  ])('is held with the reason %s, until somebody mends that', async (reason, words) => {
    await using delivery = await startDelivery();
    const endpointId = await createFlow(delivery);
    const eventId = await storeOwed(delivery, endpointId, { status: 'HELD', reason });
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'FILTER_FAILED',
      sentence: `It is held, because ${words}. Mend the expression, then retry it.`,
      nextAttempt: null,
    });
  });

  it('is called off soon where the endpoint is deleted', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    delivery.farEnd = () => REFUSED;
    const eventId = await publish(delivery);
    await delivery.waitForDelivery(({ status }) => status === 'RETRYING');
    await delivery.endpoints.remove(endpointId);
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'ENDPOINT_DELETED',
      sentence: `The endpoint was deleted on ${iso(delivery.clock.now())}: the delivery is called off as it falls due.`,
    });
  });

  it('waits for its key, behind the one that holds it', async () => {
    await using delivery = await startDelivery();
    const { store, clock } = delivery;
    const endpointId = await createFlow(delivery);
    const first = await storeOwed(delivery, endpointId, { orderKey: 'wo-123' });
    const second = await storeOwed(delivery, endpointId, { orderKey: 'wo-123' });
    const third = await storeOwed(delivery, endpointId, { orderKey: 'wo-123' });
    await storeOwed(delivery, endpointId, { orderKey: 'wo-9' });
    const holder = (await explain(delivery, first, endpointId)).delivery!.id;
    for (const eventId of [second, third]) {
      expect(await explain(delivery, eventId, endpointId)).toMatchObject({
        code: 'WAITS_FOR_KEY',
        sentence: `It waits for the key "wo-123" behind delivery ${holder}, which is PENDING after 0 attempts and due again on ${iso(clock.now())}.`,
        waitsForDeliveryId: holder,
        orderKey: 'wo-123',
        nextAttempt: { number: 1, at: clock.now() },
      });
    }
    const consumer = new TestWorker(store, { pool: endpointId, maxInFlight: 1 });
    const lease = await consumer.next();
    expect((await explain(delivery, second, endpointId)).sentence).toContain(
      `${holder}, which is SENDING after 0 attempts.`,
    );
    const dueAt = clock.now() + 30_000;
    await store.record([{ ...failUntil(clock, lease, dueAt), freesKey: false }]);
    expect(await explain(delivery, second, endpointId)).toMatchObject({
      code: 'WAITS_FOR_KEY',
      waitsForDeliveryId: holder,
      nextAttempt: { number: 1, at: dueAt },
    });
    await delivery.endpoints.update(endpointId, { paused: true });
    expect(await explain(delivery, second, endpointId)).toMatchObject({
      code: 'HELD_PAUSED',
      waitsForDeliveryId: holder,
    });
    await consumer.stop();
  });

  it('does not wait behind one that has failed and lets others pass', async () => {
    await using delivery = await startDelivery();
    delivery.evaluate = () => ({ ok: true, value: 'k' });
    const endpointId = await delivery.createEndpoint({
      orderBy: 'k',
      onFailed: 'SKIP',
      retrySchedule: ['0s', '0s', '0s', '0s', '0s', '1d'],
    });
    delivery.farEnd = () => REFUSED;
    const first = await publish(delivery);
    await delivery.waitForDelivery((row) => row.eventId === first && row.status === 'FAILED');
    delivery.farEnd = () => ({ ...REFUSED, retryAfterMs: 60_000 });
    const second = await publish(delivery);
    const holder = await delivery.waitForDelivery(
      (row) => row.eventId === second && row.status === 'RETRYING',
    );
    const third = await publish(delivery);
    expect(await explain(delivery, third, endpointId)).toMatchObject({
      code: 'WAITS_FOR_KEY',
      waitsForDeliveryId: holder.id,
    });
  });

  it('does not wait behind one that a person began anew: that leaves the order of its key', async () => {
    await using delivery = await startDelivery();
    const { store, clock } = delivery;
    const endpointId = await createFlow(delivery);
    const first = await storeOwed(delivery, endpointId, { orderKey: 'k' });
    const consumer = new TestWorker(store, { pool: endpointId, maxInFlight: 1 });
    const lease = await consumer.next();
    const failed = {
      ...failUntil(clock, lease, clock.now() + 1000),
      status: 'FAILED',
      freesKey: false,
    } as const;
    await store.record([failed]);
    await consumer.stop();
    const second = await storeOwed(delivery, endpointId, { orderKey: 'k' });
    const third = await storeOwed(delivery, endpointId, { orderKey: 'k' });
    const debt = owe(clock, endpointId, { pool: endpointId, orderKey: 'k', dueAt: clock.now() + 500 });
    await store.owe([{ eventId: first, deliveries: [debt] }], { again: true });
    const explanation = await explain(delivery, third, endpointId);
    const { waitsForDeliveryId } = explanation;
    const [before] = await store.reader.deliveriesById([waitsForDeliveryId!]);
    expect([explanation.code, before?.eventId]).toEqual(['WAITS_FOR_KEY', second]);
  });
});
