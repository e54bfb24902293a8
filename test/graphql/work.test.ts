import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/clock.ts';
import { openWelcomeWire } from '../support/graphql-client.ts';
import type { Parsed, Wire } from '../support/graphql-client.ts';
import { owe } from '../support/store-fixtures.ts';
import { startTestGateway } from './support/test-gateway.ts';
import type { TestGateway } from './support/test-gateway.ts';
import type { WorkEnd } from './support/test-services.ts';

let gateway: TestGateway;
let flowKey: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  flowKey = await gateway.keyWith('flow');
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

let consumer: string;
let made = 0;
beforeEach(async () => {
  made += 1;
  const [applied] = await gateway.services.flows.apply({
    owner: `owner-${made}`,
    endpoints: [{ key: 'node', kind: 'FLOW', events: ['a.b'] }],
  });
  consumer = applied!.endpoint.id;
});

const WORK = `subscription($consumer: ID!, $prefetch: Int) {
  work(consumer: $consumer, prefetch: $prefetch) { deliveryId token attempt leaseExpiresAt event { id data } context }
}`;

async function queueWork(count: number, context: string | null = null): Promise<string[]> {
  const ids: string[] = [];
  for (let queued = 0; queued < count; queued += 1) {
    ids.push(
      await gateway.storeEvent({ type: 'a.b' }, owe(systemClock, consumer, { pool: consumer, context })),
    );
  }
  return ids;
}

/** A consumer at a bare websocket that has got its first piece of work. */
async function consume(prefetch?: number): Promise<{ wire: Wire; item: Parsed }> {
  const wire = await openWelcomeWire(gateway.url, flowKey);
  wire.send({ id: 'w', type: 'subscribe', payload: { query: WORK, variables: { consumer, prefetch } } });
  const { payload } = await wire.next();
  return { wire, item: payload.data.work };
}

async function nextEnd(): Promise<WorkEnd> {
  const [end] = (await once(gateway.services.workEnds, 'end')) as [WorkEnd];
  return end;
}

describe('work', () => {
  it('comes leased, with its event and context, as much at a time as was asked for', async () => {
    const ids = await queueWork(3, '{"msg":{"topic":"x"}}');
    const { wire, item } = await consume(2);
    expect(item).toMatchObject({ attempt: 1, event: { id: ids[0] }, context: { msg: { topic: 'x' } } });
    expect(Date.parse(item.leaseExpiresAt)).toBeGreaterThan(Date.now());
    const second = (await wire.next()).payload.data.work;
    expect(second.event.id).toBe(ids[1]);

    const settled = await gateway.ask(
      'mutation($items: [SettleInput!]!) { settle(items: $items) { id status } }',
      { items: [{ deliveryId: item.deliveryId, token: item.token, outcome: 'SUCCEEDED' }] },
      flowKey,
    );
    expect(settled.data.settle).toEqual([{ id: item.deliveryId, status: 'SUCCEEDED' }]);
    expect((await wire.next()).payload.data.work.event.id).toBe(ids[2]);
    wire.socket.terminate();
    await nextEnd();
  });

  it('that failed is reported with what went wrong', async () => {
    await queueWork(1);
    const { wire, item } = await consume();
    const error = { code: 'FLOW', message: 'The function node threw.' };
    await gateway.ask(
      'mutation($items: [SettleInput!]!) { settle(items: $items) { id } }',
      { items: [{ deliveryId: item.deliveryId, token: item.token, outcome: 'FAILED', error }] },
      flowKey,
    );
    const { data } = await gateway.ask(
      'query($id: ID!) { delivery(id: $id) { attempts { outcome error { code message } } } }',
      { id: item.deliveryId },
    );
    expect(data.delivery.attempts).toEqual([{ outcome: 'FLOW_ERROR', error }]);
    wire.socket.terminate();
    await nextEnd();
  });

  it('cannot be settled with a token that is none', async () => {
    const items = [{ deliveryId: 'dlv_1', token: 'abc', outcome: 'SUCCEEDED' }];
    const { errors } = await gateway.ask(
      'mutation($items: [SettleInput!]!) { settle(items: $items) { id } }',
      { items },
      flowKey,
    );
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'items.0.token' } }]);
  });

  it.each([0, 65])('is not leased %i at a time', async (prefetch) => {
    const wire = await openWelcomeWire(gateway.url, flowKey);
    wire.send({ id: 'w', type: 'subscribe', payload: { query: WORK, variables: { consumer, prefetch } } });
    expect(await wire.next()).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'BAD_USER_INPUT', field: 'prefetch' } }],
    });
    wire.socket.terminate();
  });
});

describe('work that was not settled is handed back', () => {
  it.each<[string, (wire: Wire) => void]>([
    ['completes its subscription', (wire) => wire.send({ id: 'w', type: 'complete' })],
    ['says goodbye', (wire) => wire.socket.close(1000)],
    ['is going away', (wire) => wire.socket.close(1001)],
    ['closes without giving a reason', (wire) => wire.socket.close()],
  ])('without counting against it where the consumer %s', async (_case, leave) => {
    const [id] = await queueWork(1);
    const { wire } = await consume();
    const end = nextEnd();
    leave(wire);
    expect(await end).toEqual({ endpointId: consumer, wasLost: false });
    const next = await consume();
    expect(next.item.event.id).toBe(id);
    const nextEnded = nextEnd();
    next.wire.socket.terminate();
    await nextEnded;
    wire.socket.terminate();
  });

  it.each<[string, (wire: Wire) => void]>([
    ['is gone without a word', (wire) => wire.socket.terminate()],
    ['breaks off with a fault of its own', (wire) => wire.socket.close(4500)],
  ])('as lost where the consumer %s', async (_case, leave) => {
    await queueWork(1);
    const { wire } = await consume();
    const end = nextEnd();
    leave(wire);
    expect(await end).toEqual({ endpointId: consumer, wasLost: true });
  });

  it('without counting against it where we end the connection', async () => {
    await queueWork(1);
    const { key, secret } = await gateway.services.keys.create({ name: 'flow', scopes: ['flow'] });
    const wire = await openWelcomeWire(gateway.url, secret);
    wire.send({ id: 'w', type: 'subscribe', payload: { query: WORK, variables: { consumer } } });
    await wire.next();
    await gateway.services.keys.revoke(key.id);
    const end = nextEnd();
    wire.send({ id: 'x', type: 'subscribe', payload: { query: '{ __typename }' } });
    expect(await end).toEqual({ endpointId: consumer, wasLost: false });
    expect((await wire.closed).code).toBe(4403);
  });
});
