import { describe, expect, it } from 'vitest';
import { startDelivery } from '../support/delivery-harness.ts';
import { succeed, TestWorker } from '../support/store-fixtures.ts';
import { createFlow, explain, iso, publish, storeOwed } from './support/explain-delivery.ts';

const REFUSED = { outcome: 'HTTP_STATUS', statusCode: 500 } as const;

describe('a delivery that waits for its time or its turn', () => {
  it('is not due yet', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ delaySeconds: 90 });
    delivery.farEnd = () => REFUSED;
    const eventId = await publish(delivery);
    const at = delivery.clock.now() + 90_000;
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'NOT_DUE_YET',
      sentence: `Attempt 1 is not due before ${iso(at)}.`,
      nextAttempt: { number: 1, at },
    });
    delivery.clock.set(at);
    const row = await delivery.waitForDelivery(({ status }) => status === 'RETRYING');
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'NOT_DUE_YET',
      sentence: `Attempt 2 is not due before ${iso(row.nextAttemptAt!)}, because the receiver answered with status 500.`,
      nextAttempt: { number: 2, at: row.nextAttemptAt },
    });
  });

  it('waits while the receiver rests', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    delivery.farEnd = () => ({ outcome: 'HTTP_STATUS', statusCode: 503, retryAfterMs: 120_000 });
    const asked = await publish(delivery);
    await delivery.waitForDelivery(({ status }) => status === 'RETRYING');
    const restUntil = delivery.clock.now() + 120_000;
    const eventId = await publish(delivery);
    for (const [id, number] of [
      [eventId, 1],
      [asked, 2],
    ] as const) {
      expect(await explain(delivery, id, endpointId)).toMatchObject({
        code: 'RESTING',
        sentence: `The receiver asked for rest until ${iso(restUntil)}.`,
        nextAttempt: { number, at: restUntil },
      });
    }
  });

  it('is not due yet, even when the receiver has rested', async () => {
    await using delivery = await startDelivery();
    const { store, clock } = delivery;
    const endpointId = await createFlow(delivery);
    const consumer = new TestWorker(store, { pool: endpointId });
    await storeOwed(delivery, endpointId);
    const sign = { kind: 'throttled', restMs: 5000 } as const;
    await store.record([{ ...succeed(clock, await consumer.next()), sign }]);
    const [restUntil, dueAt] = [clock.now() + 5000, clock.now() + 8000];
    const eventId = await storeOwed(delivery, endpointId, { dueAt });
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'NOT_DUE_YET',
      sentence: `Attempt 1 is not due before ${iso(dueAt)}. The receiver asked for rest until ${iso(restUntil)}.`,
      nextAttempt: { number: 1, at: dueAt },
    });
    await consumer.stop();
  });

  it('waits for a probe while the circuit is open', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ retrySchedule: ['0s'] });
    delivery.farEnd = () => REFUSED;
    for (let failures = 0; failures < 10; failures += 1) {
      const failed = await publish(delivery);
      await delivery.waitForDelivery((row) => row.eventId === failed && row.status === 'EXHAUSTED');
    }
    const eventId = await publish(delivery);
    const probeAt = delivery.clock.now() + 60_000;
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'CIRCUIT_OPEN',
      sentence: `The receiver failed 10 times in a row, so its circuit is open and only probes go out: the next one on ${iso(probeAt)}.`,
      nextAttempt: { number: 1, at: probeAt },
    });
  });

  it('waits for a probe that is under way', async () => {
    await using delivery = await startDelivery();
    const { store, clock } = delivery;
    const endpointId = await createFlow(delivery);
    const consumer = new TestWorker(store, { pool: endpointId, leaseMs: 600_000 });
    const sign = { kind: 'failure', restMs: null } as const;
    for (let failures = 0; failures < 10; failures += 1) {
      await storeOwed(delivery, endpointId);
      await store.record([{ ...succeed(clock, await consumer.next()), status: 'EXHAUSTED', sign }]);
    }
    await storeOwed(delivery, endpointId);
    const eventId = await storeOwed(delivery, endpointId);
    clock.advance(60_000);
    await consumer.next();
    clock.advance(60_000);
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'CIRCUIT_OPEN',
      sentence: expect.stringContaining('only probes go out: one of them is under way.') as string,
      nextAttempt: { number: 1, at: clock.now() },
    });
    await consumer.stop();
  });

  it('waits for a token of the rate limit', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ rateLimitPerSecond: 0.1 });
    const sent = await publish(delivery);
    await delivery.waitForDelivery((row) => row.eventId === sent && row.status === 'SUCCEEDED');
    const eventId = await publish(delivery);
    const at = delivery.clock.now() + 10_000;
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'RATE_LIMITED',
      sentence: `The rate limit of the endpoint lets the next one go on ${iso(at)}.`,
      nextAttempt: { number: 1, at },
    });
  });

  it('waits while as many are under way as may be', async () => {
    await using delivery = await startDelivery();
    const endpointId = await createFlow(delivery, 1);
    await storeOwed(delivery, endpointId);
    const consumer = new TestWorker(delivery.store, { pool: endpointId });
    await consumer.next();
    const eventId = await storeOwed(delivery, endpointId);
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'CONCURRENCY_FULL',
      sentence:
        'The endpoint gets 1 at a time, and that many are under way: it begins when one of them ends.',
      nextAttempt: { number: 1, at: delivery.clock.now() },
    });
    await consumer.stop();
  });

  it('is due, and goes when its turn comes', async () => {
    await using delivery = await startDelivery();
    const endpointId = await createFlow(delivery);
    const eventId = await storeOwed(delivery, endpointId);
    const dueAt = delivery.clock.now();
    delivery.clock.advance(5000);
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'DUE',
      sentence: `Attempt 1 is due since ${iso(dueAt)} and begins as soon as its flow asks for work.`,
      nextAttempt: { number: 1, at: delivery.clock.now() },
    });
  });
});
