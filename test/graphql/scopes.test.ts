import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/clock.ts';
import type { Scope } from '../../gateway/services.ts';
import { makeAttempt, owe, TestWorker } from '../support/store-fixtures.ts';
import { startTestGateway } from './support/test-gateway.ts';
import type { TestGateway } from './support/test-gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

async function askAs(scopes: Scope[], query: string, variables: Record<string, unknown> = {}) {
  return gateway.ask(query, variables, await gateway.keyWith(...scopes));
}

describe('without a valid key', () => {
  it.each([
    ['no key', null],
    ['a wrong key', 'sk-wrong'],
  ])('%s: nothing is answered, not even what the types are', async (_case, key) => {
    for (const query of [
      '{ __typename }',
      '{ __schema { types { name } } }',
      '{ viewer { name } }',
      'not graphql',
    ]) {
      const answer = await gateway.ask(query, {}, key);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.data).toBeUndefined();
      expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    }
  });

  it('is slowed down after too many wrong keys from the same address', async () => {
    const fresh = await startTestGateway();
    const codes: unknown[] = [];
    for (let tries = 0; tries < 12; tries += 1) {
      codes.push((await fresh.ask('{ viewer { name } }', {}, 'sk-wrong')).errors?.[0]?.extensions['code']);
    }
    expect(codes.at(0)).toBe('UNAUTHENTICATED');
    expect(codes.at(-1)).toBe('RATE_LIMITED');
    await fresh[Symbol.asyncDispose]();
  });
});

describe('a field that the key does not cover', () => {
  it('is refused before anything runs, with the scopes that would do', async () => {
    const answer = await askAs(
      ['events:publish'],
      'mutation { publishEvent(input: { type: "a.b", data: {}, id: "evt-never" }) { id } createInspectBin { id } }',
    );
    expect(answer.status).toBe(403);
    expect(answer.data).toBeUndefined();
    expect(answer.errors).toMatchObject([
      {
        message: expect.stringContaining(
          'Mutation.createInspectBin needs a key with the scope webhooks:write',
        ),
        extensions: { code: 'FORBIDDEN', scopes: ['webhooks:write'] },
      },
    ]);
    expect((await gateway.ask('{ event(id: "evt-never") { id } }')).data.event).toBeNull();
  });

  it.each<[Scope[], string, boolean]>([
    [['events:read'], '{ events { liveCursor } }', true],
    [['webhooks:read'], '{ events { liveCursor } }', false],
    [['webhooks:read'], '{ deliveries { liveCursor } endpoints { liveCursor } }', true],
    [['events:read'], '{ deliveries { liveCursor } }', false],
    [['webhooks:read'], '{ deliveries { edges { node { event { id } } } } }', false],
    [['webhooks:read', 'events:read'], '{ deliveries { edges { node { event { data } } } } }', true],
    [['webhooks:read'], '{ deliveries { edges { node { attempts { requestBody } } } } }', false],
    [['events:read'], '{ events { edges { node { deliveries { liveCursor } } } } }', false],
    [['metrics:read'], '{ viewer { name } eventTypes { name } __schema { queryType { name } } }', true],
    [['webhooks:write'], '{ keys { id } }', false],
    [['flow'], '{ events { liveCursor } deliveries { liveCursor } }', true],
    [['flow'], 'mutation { createInspectBin { id } }', false],
    [['flow'], 'mutation { settle(items: []) { id } }', true],
    [['webhooks:write'], 'mutation { settle(items: []) { id } }', false],
    [['events:read'], 'mutation { publishEvent(input: { type: "a.b", data: {} }) { id } }', false],
    [['admin'], '{ keys { id } events { liveCursor } }', true],
  ])('%j may ask %s: %s', async (scopes, query, allowed) => {
    const { errors } = await askAs(scopes, query);
    if (allowed) expect(errors).toBeUndefined();
    else expect(errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
  });

  it('is refused in a fragment, and under another name too', async () => {
    const named = await askAs(
      ['events:read'],
      'query { ...Hidden } fragment Hidden on Query { mine: keys { id } }',
    );
    expect(named.errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
    const inline = await askAs(['events:read'], '{ ... on Query { keys { id } } }');
    expect(inline.errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
  });

  it('is not allowed because another key asked the same before', async () => {
    const query = '{ endpoints { edges { node { id } } } }';
    expect((await askAs(['webhooks:read'], query)).errors).toBeUndefined();
    expect((await askAs(['events:read'], query)).errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
    expect((await askAs(['webhooks:read'], query)).errors).toBeUndefined();
  });
});

describe('asking by id', () => {
  const EVENT = 'query($id: ID!) { node(id: $id) { id ... on Event { type } } }';

  it('shows only what the type of the thing allows', async () => {
    const id = await gateway.storeEvent();
    expect((await askAs(['webhooks:read'], EVENT, { id })).errors).toMatchObject([
      { message: expect.stringContaining('Reading Event by id'), extensions: { code: 'FORBIDDEN' } },
    ]);
    expect((await askAs(['events:read'], EVENT, { id })).data.node.id).toBe(id);
  });

  it('cannot be dressed up with fragments', async () => {
    const id = await gateway.storeEvent();
    for (const query of [
      'query($id: ID!) { node(id: $id) { ...E } } fragment E on Event { type }',
      'query($id: ID!) { node(id: $id) { ...N } } fragment N on Node { ... on Event { type } }',
      'query($id: ID!) { nodes(ids: [$id]) { ... { ... on Node { ... on Event { type } } } } }',
      'query($id: ID!) { node(id: $id) { ... on Key { name } } }',
    ]) {
      expect((await askAs(['webhooks:read'], query, { id })).errors?.[0]?.extensions['code']).toBe(
        'FORBIDDEN',
      );
    }
  });
});

describe('what an event says', () => {
  it('is not shown to who may only publish, its acceptance is', async () => {
    const mutation = (fields: string) =>
      `mutation { publishEvent(input: { type: "a.b", data: { secret: 1 } }) { ${fields} } }`;
    expect(
      (await askAs(['events:publish'], mutation('id type receivedAt schemaErrors'))).errors,
    ).toBeUndefined();
    expect((await askAs(['events:publish'], mutation('id data'))).errors?.[0]?.extensions['code']).toBe(
      'FORBIDDEN',
    );
  });
});

describe('secrets of an endpoint', () => {
  it('are masked for readers, and shown to who may change them', async () => {
    const { endpoint } = await gateway.services.endpoints.create({
      url: 'https://hooks.example/services/T0/very-secret',
      urlIsSecret: true,
      events: ['a.b'],
      headers: [
        { name: 'x-token', value: 'also-secret', secret: true },
        { name: 'x-plant', value: 'north' },
      ],
    });
    await gateway.storeEvent({ type: 'a.b' }, owe(systemClock, endpoint.id, { pool: 'masked' }));
    const worker = new TestWorker(gateway.store, { pool: 'masked' });
    const { deliveryId, token } = await worker.next();
    const requestHeaders = JSON.stringify({
      'X-Token': 'also-secret',
      'x-plant': 'north',
      Authorization: 'Bearer third-secret',
    });
    await gateway.store.record([
      {
        deliveryId,
        token,
        attempt: makeAttempt(systemClock, { requestHeaders }),
        status: 'SUCCEEDED',
        dueAt: null,
        step: 1,
        reason: null,
        causes: [],
      },
    ]);
    await worker.stop();
    const query = `query($id: ID!) { delivery(id: $id) {
      endpoint { url urlIsSecret headers { name value secret } }
      attempts { requestHeaders }
    } }`;

    const reader = await askAs(['webhooks:read'], query, { id: deliveryId });
    expect(JSON.stringify(reader.data)).not.toContain('secret-');
    expect(reader.data.delivery).toEqual({
      endpoint: {
        url: 'https://hooks.example/…',
        urlIsSecret: true,
        headers: [
          { name: 'x-token', value: '…', secret: true },
          { name: 'x-plant', value: 'north', secret: false },
        ],
      },
      attempts: [{ requestHeaders: { 'X-Token': '…', 'x-plant': 'north', Authorization: '…' } }],
    });

    const writer = await askAs(['webhooks:read', 'webhooks:write'], query, { id: deliveryId });
    expect(writer.data.delivery.endpoint.url).toBe('https://hooks.example/services/T0/very-secret');
    expect(writer.data.delivery.attempts[0].requestHeaders['X-Token']).toBe('also-secret');
  });
});
