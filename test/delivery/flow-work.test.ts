import { describe, expect, it } from 'vitest';
import type { WorkLease } from '../../gateway/services.ts';
import { oweTo } from '../../gateway/delivery/fan-out.ts';
import { startRetention } from '../../gateway/store/retention.ts';
import { startDelivery, type DeliveryHarness } from '../support/delivery-harness.ts';
import { makeEvent } from '../support/store-fixtures.ts';

class Consumer {
  readonly #iterator: AsyncIterator<readonly WorkLease[]>;
  readonly #ready: WorkLease[] = [];
  readonly #abort = new AbortController();
  #lost = false;

  constructor({ flows }: DeliveryHarness, endpointId: string, prefetch = 8) {
    this.#iterator = flows
      .work(endpointId, prefetch, { signal: this.#abort.signal, wasLost: () => this.#lost })
      [Symbol.asyncIterator]();
  }

  async next(): Promise<WorkLease> {
    while (this.#ready.length === 0) this.#ready.push(...(await this.#iterator.next()).value);
    return this.#ready.shift()!;
  }

  async leave(): Promise<void> {
    await this.#iterator.return!();
  }

  async vanish(): Promise<void> {
    this.#lost = true;
    this.#abort.abort();
    await this.#iterator.return!();
  }
}

async function declareFlow(delivery: DeliveryHarness, more: object = {}): Promise<string> {
  const [applied] = await delivery.flows.apply({
    owner: 'node-red',
    endpoints: [{ key: 'n1', kind: 'FLOW', events: ['work_order.*'], ...more }],
  });
  return applied!.endpoint.id;
}

describe('work for flows', () => {
  it('hands an event to one of several consumers, and is done when that one settles it', async () => {
    await using delivery = await startDelivery();
    const id = await declareFlow(delivery);
    const consumers = [new Consumer(delivery, id, 1), new Consumer(delivery, id, 1)];
    await delivery.events.publish({ type: 'work_order.created', data: { n: 1 } });
    await delivery.events.publish({ type: 'work_order.created', data: { n: 2 } });
    const works = await Promise.all(consumers.map((consumer) => consumer.next()));
    expect(
      works
        .map(({ event }) => (JSON.parse(event.body) as { data: { n: number } }).data.n)
        .sort((a, b) => a - b),
    ).toEqual([1, 2]);
    const rows = await delivery.flows.settle(
      works.map(({ deliveryId, token }) => ({ deliveryId, token, outcome: 'SUCCEEDED' as const })),
    );
    expect(rows.map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    for (const consumer of consumers) await consumer.leave();
  });

  it('gives back at once, uncounted, what a consumer held that said goodbye', async () => {
    await using delivery = await startDelivery();
    const id = await declareFlow(delivery);
    const first = new Consumer(delivery, id);
    await delivery.events.publish({ type: 'work_order.created', data: {} });
    await first.next();
    await first.leave();
    const second = new Consumer(delivery, id);
    expect(await second.next()).toMatchObject({ attemptNumber: 1 });
    await second.leave();
  });

  it('counts an attempt where the consumer vanished, and comes back on schedule', async () => {
    await using delivery = await startDelivery();
    const id = await declareFlow(delivery);
    const first = new Consumer(delivery, id);
    await delivery.events.publish({ type: 'work_order.created', data: {} });
    const { deliveryId } = await first.next();
    await first.vanish();
    const [row] = await delivery.store.reader.deliveriesById([deliveryId]);
    expect(row).toMatchObject({
      status: 'RETRYING',
      attemptCount: 1,
      nextAttemptAt: delivery.clock.now() + 5_000,
      reason: 'unknown',
    });
    const second = new Consumer(delivery, id);
    delivery.clock.advance(5_000);
    expect(await second.next()).toMatchObject({ deliveryId, attemptNumber: 2 });
    await second.leave();
  });

  it('tries again on schedule what the flow says has failed, with its error in the log', async () => {
    await using delivery = await startDelivery();
    const id = await declareFlow(delivery);
    const consumer = new Consumer(delivery, id);
    await delivery.events.publish({ type: 'work_order.created', data: {} });
    const { deliveryId, token } = await consumer.next();
    const error = { code: 'NO_PRINTER', message: 'The printer is out of paper.' };
    const [row] = await delivery.flows.settle([{ deliveryId, token, outcome: 'FAILED', error }]);
    expect(row).toMatchObject({ status: 'RETRYING', attemptCount: 1 });
    expect((await delivery.store.reader.attempts([deliveryId]))[0]).toMatchObject([
      { outcome: 'FLOW_ERROR', error },
    ]);
    delivery.clock.advance(5_000);
    expect(await consumer.next()).toMatchObject({ deliveryId, attemptNumber: 2 });
    await consumer.leave();
  });

  it('ignores what an old lease says', async () => {
    await using delivery = await startDelivery();
    const id = await declareFlow(delivery);
    const first = new Consumer(delivery, id);
    await delivery.events.publish({ type: 'work_order.created', data: {} });
    const old = await first.next();
    await first.leave();
    const [row] = await delivery.flows.settle([{ ...old, outcome: 'SUCCEEDED' }]);
    expect(row).toMatchObject({ status: 'PENDING', attemptCount: 0 });
  });

  it('keeps the leases of a living connection for as long as it lives', async () => {
    await using delivery = await startDelivery();
    const id = await declareFlow(delivery);
    const consumer = new Consumer(delivery, id);
    await delivery.events.publish({ type: 'work_order.created', data: {} });
    const { deliveryId, token } = await consumer.next();
    for (let minute = 0; minute < 10; minute++) {
      delivery.clock.advance(20_000);
      await delivery.store.renew([], 1);
    }
    const [row] = await delivery.flows.settle([{ deliveryId, token, outcome: 'SUCCEEDED' }]);
    expect(row).toMatchObject({ status: 'SUCCEEDED' });
    await consumer.leave();
  });

  it('queues what happened before, for a flow that starts from the oldest', async () => {
    await using delivery = await startDelivery();
    for (const n of [1, 2])
      await delivery.events.publish({ id: `evt-${n}`, type: 'work_order.created', data: {} });
    await delivery.events.publish({ id: 'other', type: 'alarm.triggered', data: {} });
    const id = await declareFlow(delivery, { startFrom: 'OLDEST' });
    const consumer = new Consumer(delivery, id);
    expect([(await consumer.next()).event.id, (await consumer.next()).event.id]).toEqual(['evt-1', 'evt-2']);
    await consumer.leave();
    await declareFlow(delivery, { startFrom: 'OLDEST' });
    const page = await delivery.store.reader.deliveries({
      where: {},
      limit: 10,
      order: 'newest',
      after: null,
    });
    expect(page.rows).toHaveLength(2);
  });

  it('misses no event that comes while a flow that starts from the oldest is declared', async () => {
    await using delivery = await startDelivery();
    let declared = false;
    const published: Promise<string>[] = [];
    const publishing = (async () => {
      while (!declared) {
        const event = makeEvent(delivery.clock, { id: `evt-${published.length}` });
        const subscribers = delivery.endpoints.active().filter((runtime) => runtime.matches(event));
        const deliveries = subscribers.map((runtime) => oweTo(runtime, event.receivedAt, [0], null));
        published.push(delivery.store.append([{ event, deliveries }]).then(([result]) => result!.id));
        // No more than the store takes at once.
        if (published.length % 500 === 0) await published.at(-1);
        else await new Promise(setImmediate);
      }
    })();
    const id = await declareFlow(delivery, { startFrom: 'OLDEST' });
    declared = true;
    await publishing;
    const ids = await Promise.all(published);
    const owed = new Set<string>();
    for (let after: string | null = null; ;) {
      const where = { endpointIds: [id] };
      const page: Awaited<ReturnType<typeof delivery.store.reader.deliveries>> =
        await delivery.store.reader.deliveries({ where, limit: 500, order: 'oldest', after });
      for (const { row } of page.rows) owed.add(row.eventId);
      if (!page.hasMore) break;
      after = page.rows.at(-1)!.cursor;
    }
    expect(ids.filter((eventId) => !owed.has(eventId))).toEqual([]);
  });

  it('keeps what a flow is owed that was taken out, until the retention ends', async () => {
    await using delivery = await startDelivery();
    const id = await declareFlow(delivery);
    await delivery.events.publish({ id: 'evt-1', type: 'work_order.created', data: {} });
    await delivery.flows.apply({ owner: 'node-red', endpoints: [] });
    const retentionMs = 30 * 86_400_000;
    const log = { warn: (fields: object) => expect.fail(JSON.stringify(fields)) };
    const { store, clock, endpoints } = delivery;
    const stop = startRetention({
      store,
      clock,
      retentionMs,
      retiredEndpoints: () => endpoints.retired(),
      log,
    });
    const statusOf = async (): Promise<string | undefined> => {
      const page = await store.reader.deliveries({
        where: { endpointIds: [id] },
        limit: 5,
        order: 'oldest',
        after: null,
      });
      return page.rows[0]?.row.status;
    };
    clock.advance(3_600_000);
    await store.flush();
    expect(await statusOf()).toBe('PENDING');
    clock.advance(retentionMs);
    await expect
      .poll(() => {
        clock.advance(3_600_000);
        return statusOf();
      })
      .toBeUndefined();
    stop();
  });

  it('holds events for a flow that is not there, and gives them when it comes', async () => {
    await using delivery = await startDelivery();
    const id = await declareFlow(delivery);
    await delivery.events.publish({ id: 'missed', type: 'work_order.created', data: {} });
    const consumer = new Consumer(delivery, id);
    expect((await consumer.next()).event.id).toBe('missed');
    await consumer.leave();
  });

  it('tells a sending flow what became of its message, with its context', async () => {
    await using delivery = await startDelivery();
    const [applied] = await delivery.flows.apply({
      owner: 'node-red',
      endpoints: [
        {
          key: 'w1',
          kind: 'WEBHOOK',
          url: 'https://receiver.example/hook',
          results: true,
          retrySchedule: ['0s', '1m'],
        },
      ],
    });
    const results = new Consumer(delivery, applied!.resultsEndpointId!);
    delivery.farEnd = () => ({ outcome: 'HTTP_STATUS', statusCode: 500, responseBody: 'no' });
    const sent = await delivery.deliveries.sendTo({
      endpointId: applied!.endpoint.id,
      payload: { a: 1 },
      idempotencyKey: 'k',
      context: { msg: { topic: 't' } },
    });
    await delivery.waitForDelivery(({ id, attemptCount }) => id === sent.id && attemptCount === 1);
    delivery.clock.advance(60_000);
    const result = await results.next();
    expect(result.event.type).toBe('hookline.delivery.exhausted');
    expect(JSON.parse(result.context!)).toEqual({ msg: { topic: 't' } });
    expect((JSON.parse(result.event.body) as { data: unknown }).data).toMatchObject({
      delivery: { id: sent.id, status: 'EXHAUSTED', attemptCount: 2, statusCode: 500, responseBody: 'no' },
    });
    await results.leave();
  });

  it('refuses work of what is no flow', async () => {
    await using delivery = await startDelivery();
    const webhook = await delivery.createEndpoint();
    const connection = { signal: new AbortController().signal, wasLost: () => false };
    expect(() => delivery.flows.work(webhook, 1, connection)).toThrow(/no flow endpoint/);
    expect(() => delivery.flows.work('ep_none', 1, connection)).toThrow(/no flow endpoint/);
  });
});
