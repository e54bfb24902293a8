import { parse, validate } from 'graphql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseGatewayAddress } from '../../nodes/client/gateway-address.ts';
import { createGatewayClient } from '../../nodes/gateway-client.ts';
import type { GatewayClient, GatewayClientOptions, WorkItem } from '../../nodes/gateway-client.ts';
import { DOCUMENTS } from '../../nodes/client/gateway-documents.ts';
import type { GatewayError } from '../../nodes/client/gateway-error.ts';
import type { LiveState } from '../../nodes/client/gateway-socket.ts';
import { createChangeSignal } from './support/change-signal.ts';
import { gatewaySchema, startFakeGateway } from './support/fake-gateway.ts';
import type { FakeGateway } from './support/fake-gateway.ts';

let gateway: FakeGateway;
const clients: GatewayClient[] = [];

beforeEach(async () => {
  gateway = await startFakeGateway();
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await gateway[Symbol.asyncDispose]();
});

/** A client whose pauses are over at once, and what it told of its connection. */
function openClient(
  over: Partial<GatewayClientOptions> = {},
): GatewayClient & { states: LiveState[]; pausesMs: number[] } {
  const states: LiveState[] = [];
  const pausesMs: number[] = [];
  const client = createGatewayClient({
    address: parseGatewayAddress(gateway.url)!,
    key: gateway.key,
    onState: (state) => {
      states.push(state);
      gateway.changed();
    },
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        pausesMs.push(ms);
        gateway.changed();
        if (signal.aborted) reject(signal.reason as Error);
        else setImmediate(resolve);
      }),
    random: () => 0.5,
    ...over,
  });
  clients.push(client);
  return Object.assign(client, { states, pausesMs });
}

const flowEndpoint = { key: 'n1', kind: 'FLOW', description: 'a flow', events: ['*'] } as const;

describe('the documents of the nodes', () => {
  it.each(Object.entries(DOCUMENTS))('%s is valid by the schema of the gateway', (_name, document) => {
    expect(validate(gatewaySchema, parse(document))).toEqual([]);
  });
});

describe('requests', () => {
  it('declares endpoints and returns what the gateway made of them', async () => {
    const applied = await openClient().applyFlow('owner', [{ ...flowEndpoint, events: ['*'] }]);
    expect(applied).toEqual([
      { key: 'n1', endpoint: { id: 'ep_n1', active: true, paused: false }, resultsEndpointId: null },
    ]);
    expect(gateway.applied).toEqual([{ owner: 'owner', endpoints: [flowEndpoint] }]);
  });

  it('keeps the code and the field of an error', async () => {
    gateway.failures.push({
      field: 'applyFlow',
      code: 'BAD_USER_INPUT',
      message: 'no',
      input: 'endpoints.0.url',
    });
    await expect(openClient().applyFlow('owner', [])).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'endpoints.0.url',
      message: 'no',
    });
  });

  it('says that the key is refused', async () => {
    await expect(openClient({ key: 'sk-wrong' }).viewer()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('names the address where nobody answers, and never the key', async () => {
    await gateway.suspend();
    const error = await openClient()
      .viewer()
      .catch((caught: GatewayError) => caught);
    expect(error).toMatchObject({ code: 'GATEWAY_UNREACHABLE' });
    expect((error as GatewayError).message).toContain(gateway.url);
    expect((error as GatewayError).message).not.toContain(gateway.key);
    await gateway.resume();
  });

  it('publishes again while the store is away for a moment', async () => {
    gateway.failures.push(
      { field: 'publishEvent', code: 'STORE_UNAVAILABLE' },
      { field: 'publishEvent', code: 'RATE_LIMITED' },
    );
    const stored = await openClient().publishEvent({
      id: 'evt_1',
      type: 'a.b',
      data: { n: 1 },
      test: false,
      hops: 2,
    });
    expect(stored).toMatchObject({
      catalogued: true,
      event: { id: 'evt_1', source: null, data: { n: 1 }, hops: 2 },
    });
    expect(gateway.published).toHaveLength(1);
  });

  it('gives up publishing after four tries', async () => {
    for (let tries = 0; tries < 5; tries += 1)
      gateway.failures.push({ field: 'publishEvent', code: 'STORE_UNAVAILABLE' });
    const publishing = openClient().publishEvent({
      id: 'evt_1',
      type: 'a.b',
      data: {},
      test: false,
      hops: 0,
    });
    await expect(publishing).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(gateway.failures).toHaveLength(1);
  });

  it('does not try again what the gateway will never take', async () => {
    gateway.failures.push({ field: 'sendToEndpoint', code: 'NOT_FOUND' });
    const input = { endpointId: 'ep_1', payload: 1, eventId: null, idempotencyKey: 'k', context: null };
    await expect(openClient().sendToEndpoint(input)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(gateway.sent).toEqual([]);
  });

  it('ends what is under way when it is closed', async () => {
    const client = openClient({
      fetch: (_url, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    });
    const asking = client.viewer();
    await client.close();
    await expect(asking).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('work', () => {
  it('arrives with its event in the words of flows', async () => {
    const items: WorkItem[] = [];
    openClient().work('ep_n1', 8, {
      onItem: (item) => {
        items.push(item);
        gateway.changed();
      },
      onError: () => undefined,
    });
    gateway.give('ep_n1', { deliveryId: 'dlv_1', token: '7', attempt: 2, context: { a: 1 } });
    await gateway.until('the work', () => items.length === 1);
    expect(items[0]).toMatchObject({
      deliveryId: 'dlv_1',
      token: '7',
      attempt: 2,
      context: { a: 1 },
      event: { id: 'evt-123', source: 'mes' },
    });
    expect(gateway.consumers[0]).toMatchObject({ endpointId: 'ep_n1', prefetch: 8 });
  });

  it('goes on after the connection broke off', async () => {
    const items: WorkItem[] = [];
    const client = openClient();
    client.work('ep_n1', 8, {
      onItem: (item) => {
        items.push(item);
        gateway.changed();
      },
      onError: () => undefined,
    });
    await gateway.until('the first subscription', () => gateway.consumers.length === 1);
    gateway.dropConnections();
    await gateway.until('the second subscription', () => gateway.consumers.length === 2);
    gateway.give('ep_n1', { deliveryId: 'dlv_1', token: '8' });
    await gateway.until('the work', () => items.length === 1);
    expect(client.states.map(({ kind }) => kind)).toEqual([
      'connecting',
      'connected',
      'disconnected',
      'connected',
    ]);
  });

  it('comes back after the gateway was gone for a while', async () => {
    const client = openClient();
    client.work('ep_n1', 8, { onItem: () => undefined, onError: () => undefined });
    await gateway.until('the first subscription', () => gateway.consumers.length === 1);
    await gateway.suspend();
    await gateway.until('eight attempts', () => client.pausesMs.length >= 8);
    expect(client.pausesMs.slice(0, 8)).toEqual([188, 375, 750, 1500, 3000, 6000, 7500, 7500]);
    await gateway.resume();
    await gateway.until('the second subscription', () => gateway.consumers.length === 2);
  });

  it('subscribes again after the gateway refused, and says why', async () => {
    const errors: string[] = [];
    gateway.failures.push({ field: 'work', code: 'NOT_FOUND' });
    openClient().work('ep_n1', 8, { onItem: () => undefined, onError: ({ code }) => errors.push(code) });
    await gateway.until('the subscription', () => gateway.consumers.length === 1);
    expect(errors).toEqual(['NOT_FOUND']);
  });

  it('tells the gateway that it leaves before it closes the connection', async () => {
    const client = openClient();
    client.work('ep_n1', 8, { onItem: () => undefined, onError: () => undefined });
    await gateway.until('the subscription', () => gateway.consumers.length === 1);
    await client.close();
    expect(await gateway.until('its end', () => gateway.consumers[0]!.ended)).toBe('completed');
  });

  it('opens a second connection where one would hold more than the gateway allows', async () => {
    const client = openClient();
    for (let index = 0; index < 60; index += 1) {
      client.work(`ep_${index}`, 1, { onItem: () => undefined, onError: () => undefined });
    }
    await gateway.until('all subscriptions', () => gateway.consumers.length === 60);
    expect(gateway.connections).toBe(2);
  });

  it('says that the key is refused, and goes on asking', async () => {
    const client = openClient({ key: 'sk-wrong' });
    client.work('ep_n1', 8, { onItem: () => undefined, onError: () => undefined });
    await gateway.until('the third attempt', () => client.pausesMs.length >= 3);
    expect(client.state).toMatchObject({ kind: 'disconnected', error: { code: 'UNAUTHENTICATED' } });
  });

  it('gives a connection up that shows no sign of life', async () => {
    const signal = createChangeSignal();
    const frozen = await startFakeGateway();
    const client = openClient({
      address: parseGatewayAddress(frozen.url)!,
      keepAliveMs: 20,
      onState: () => signal.changed(),
    });
    client.work('ep_n1', 8, { onItem: () => undefined, onError: () => undefined });
    await frozen.until('the subscription', () => frozen.consumers.length === 1);
    frozen.freeze();
    await signal.until('the loss', () => client.state.kind === 'disconnected');
    await frozen[Symbol.asyncDispose]();
  });
});

describe('settlements', () => {
  it('of one turn travel in one request', async () => {
    const client = openClient();
    await Promise.all([
      client.settle({ deliveryId: 'dlv_1', token: '1', outcome: 'SUCCEEDED' }),
      client.settle({
        deliveryId: 'dlv_2',
        token: '2',
        outcome: 'FAILED',
        error: { code: 'X', message: 'y' },
      }),
    ]);
    expect(gateway.settled).toEqual([
      [
        { deliveryId: 'dlv_1', token: '1', outcome: 'SUCCEEDED' },
        { deliveryId: 'dlv_2', token: '2', outcome: 'FAILED', error: { code: 'X', message: 'y' } },
      ],
    ]);
  });

  it('are told again while the store is away for a moment', async () => {
    gateway.failures.push({ field: 'settle', code: 'STORE_UNAVAILABLE' });
    await openClient().settle({ deliveryId: 'dlv_1', token: '1', outcome: 'SUCCEEDED' });
    expect(gateway.settled).toHaveLength(1);
  });

  it('go one by one where the gateway does not take them together', async () => {
    gateway.failures.push({ field: 'settle', code: 'NOT_FOUND' }, { field: 'settle', code: 'NOT_FOUND' });
    const client = openClient();
    const outcomes = await Promise.allSettled([
      client.settle({ deliveryId: 'dlv_1', token: '1', outcome: 'SUCCEEDED' }),
      client.settle({ deliveryId: 'dlv_2', token: '2', outcome: 'SUCCEEDED' }),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('that wait are told before the client closes', async () => {
    const client = openClient();
    const settling = client.settle({ deliveryId: 'dlv_1', token: '1', outcome: 'SUCCEEDED' });
    await client.close();
    await settling;
    expect(gateway.settled).toHaveLength(1);
  });
});
