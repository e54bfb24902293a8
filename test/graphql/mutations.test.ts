import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/clock.ts';
import { owe } from '../support/store-fixtures.ts';
import { startTestGateway } from './support/test-gateway.ts';
import type { TestGateway } from './support/test-gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

const CREATE = `mutation($input: CreateEndpointInput!) {
  createEndpoint(input: $input) { endpoint { id kind url events active headers { name value } retrySchedule } secret }
}`;

describe('publishing', () => {
  it('stores an event and answers with it', async () => {
    const { data } = await gateway.ask(
      'mutation($input: PublishEventInput!) { publishEvent(input: $input) { id type occurredAt data test hops source { id } } }',
      {
        input: {
          id: 'evt-of-mine',
          type: 'my.type',
          timestamp: '2026-01-02T03:04:05+01:00',
          data: { a: [1] },
          test: true,
          hops: 2,
        },
      },
    );
    expect(data.publishEvent).toEqual({
      id: 'evt-of-mine',
      type: 'my.type',
      occurredAt: '2026-01-02T02:04:05.000Z',
      data: { a: [1] },
      test: true,
      hops: 2,
      source: null,
    });
  });

  it('takes data as a literal in the document too', async () => {
    const { data } = await gateway.ask(
      'mutation($n: JSON!) { publishEvent(input: { type: "my.type", data: { a: [1, 2.5, "x", true, null], b: { c: $n } } }) { data } }',
      { n: 7 },
    );
    expect(data.publishEvent.data).toEqual({ a: [1, 2.5, 'x', true, null], b: { c: 7 } });
  });

  it.each(['yesterday', '2026-01-02', '2026-01-02T03:04:05', '2026-13-02T03:04:05Z', 5])(
    'refuses %j as a moment and says what is accepted',
    async (timestamp) => {
      const { errors, status } = await gateway.ask(
        'mutation($input: PublishEventInput!) { publishEvent(input: $input) { id } }',
        { input: { type: 'my.type', data: {}, timestamp } },
      );
      expect(status).toBe(400);
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
      expect(errors?.[0]?.message).toContain('ISO 8601');
    },
  );
});

describe('endpoints', () => {
  it('are made with a secret that is shown once', async () => {
    const { data } = await gateway.ask(CREATE, {
      input: {
        url: 'https://hooks.example/in',
        events: ['work_order.*'],
        headers: [{ name: 'x-a', value: 'b' }],
        description: null,
      },
    });
    const { endpoint, secret } = data.createEndpoint;
    expect(endpoint).toMatchObject({
      kind: 'WEBHOOK',
      url: 'https://hooks.example/in',
      events: ['work_order.*'],
      active: true,
      headers: [{ name: 'x-a', value: 'b' }],
    });
    expect(secret).toMatch(/^whsec_/);
    const again = await gateway.ask('query($id: ID!) { endpoint(id: $id) { id url headers { value } } }', {
      id: endpoint.id,
    });
    expect(JSON.stringify(again.data)).not.toContain(secret);
  });

  it('are changed in what is given, and keep the rest', async () => {
    const made = await gateway.ask(CREATE, {
      input: { url: 'https://hooks.example/in', events: ['a.b'], retrySchedule: ['0s', '9s'] },
    });
    const { id } = made.data.createEndpoint.endpoint;
    const update =
      'mutation($id: ID!, $input: UpdateEndpointInput!) { updateEndpoint(id: $id, input: $input) { paused events retrySchedule } }';
    const paused = await gateway.ask(update, { id, input: { paused: true, events: null } });
    expect(paused.data.updateEndpoint).toEqual({
      paused: true,
      events: ['a.b'],
      retrySchedule: ['0s', '9s'],
    });
    const usual = await gateway.ask(update, { id, input: { retrySchedule: null } });
    expect(usual.data.updateEndpoint).toEqual({ paused: true, events: ['a.b'], retrySchedule: null });
  });

  it('get a new secret, and go', async () => {
    const made = await gateway.ask(CREATE, { input: { url: 'https://hooks.example/in', events: ['a.b'] } });
    const { id } = made.data.createEndpoint.endpoint;
    const rotated = await gateway.ask(
      'mutation($id: ID!) { rotateEndpointSecret(id: $id, overlapSeconds: 60) { endpoint { id } secret } }',
      { id },
    );
    expect(rotated.data.rotateEndpointSecret.secret).not.toBe(made.data.createEndpoint.secret);
    const remove = 'mutation($id: ID!) { deleteEndpoint(id: $id) }';
    expect((await gateway.ask(remove, { id })).data).toEqual({ deleteEndpoint: true });
    expect((await gateway.ask(remove, { id })).data).toEqual({ deleteEndpoint: false });
    const gone = await gateway.ask('query($id: ID!) { endpoint(id: $id) { retiredAt } }', { id });
    expect(gone.data.endpoint.retiredAt).toMatch(/Z$/);
  });

  it('are refused with code and field, and what the service says reaches the client', async () => {
    const { data, errors } = await gateway.ask(CREATE, {
      input: { url: 'http://10.1.2.3/in', events: ['a.b'] },
    });
    expect(data).toBeNull();
    expect(errors).toMatchObject([
      { path: ['createEndpoint'], extensions: { code: 'BAD_USER_INPUT', field: 'url' } },
    ]);
  });
});

describe('deliveries', () => {
  it('are sent, retried and cancelled by hand', async () => {
    const made = await gateway.ask(CREATE, { input: { url: 'https://hooks.example/in', events: ['a.b'] } });
    const endpointId = made.data.createEndpoint.endpoint.id;
    const sent = await gateway.ask(
      'mutation($input: SendToEndpointInput!) { sendToEndpoint(input: $input) { id status event { data } } }',
      { input: { endpointId, payload: { hello: 1 }, idempotencyKey: 'k', context: { msg: 1 } } },
    );
    expect(sent.data.sendToEndpoint).toMatchObject({ status: 'PENDING', event: { data: { hello: 1 } } });
    const { id } = sent.data.sendToEndpoint;
    const cancelled = await gateway.ask(
      'mutation($id: ID!) { cancelDelivery(id: $id) { status completedAt } }',
      { id },
    );
    expect(cancelled.data.cancelDelivery.status).toBe('CANCELLED');
    const retried = await gateway.ask('mutation($id: ID!) { retryDelivery(id: $id) { status generation } }', {
      id,
    });
    expect(retried.data.retryDelivery).toEqual({ status: 'PENDING', generation: 1 });
    const test = await gateway.ask(
      'mutation($id: ID!) { sendTestEvent(endpointId: $id, eventType: "work_order.created") { test event { type } } }',
      { id: endpointId },
    );
    expect(test.data.sendTestEvent).toEqual({ test: true, event: { type: 'work_order.created' } });
  });

  it('say why they cannot be changed', async () => {
    const { endpoint } = await gateway.services.endpoints.create({
      url: 'https://hooks.example/in',
      events: ['a.b'],
    });
    const eventId = await gateway.storeEvent({}, owe(systemClock, endpoint.id));
    const page = await gateway.store.reader.deliveries({
      where: { eventIds: [eventId] },
      limit: 1,
      order: 'newest',
      after: null,
    });
    const { id } = page.rows[0]!.row;
    const cancel = 'mutation($id: ID!) { cancelDelivery(id: $id) { status } }';
    await gateway.ask(cancel, { id });
    expect((await gateway.ask(cancel, { id })).errors).toMatchObject([{ extensions: { code: 'CONFLICT' } }]);
    expect((await gateway.ask(cancel, { id: 'dlv_nothing' })).errors).toMatchObject([
      { extensions: { code: 'NOT_FOUND' } },
    ]);
  });
});

describe('keys', () => {
  it('are made with a secret that is shown once, and revoked at once', async () => {
    const made = await gateway.ask(
      'mutation($input: CreateKeyInput!) { createKey(input: $input) { key { id name scopes expiresAt } secret } }',
      { input: { name: 'ci', scopes: ['events:read'], expiresAt: '2099-01-01T00:00:00Z' } },
    );
    const { key, secret } = made.data.createKey;
    expect(key).toMatchObject({ name: 'ci', scopes: ['events:read'], expiresAt: '2099-01-01T00:00:00.000Z' });
    expect((await gateway.ask('{ viewer { name } }', {}, secret)).data.viewer.name).toBe('ci');
    const revoked = await gateway.ask('mutation($id: ID!) { revokeKey(id: $id) { revokedAt } }', {
      id: key.id,
    });
    expect(revoked.data.revokeKey.revokedAt).toMatch(/Z$/);
    expect((await gateway.ask('{ viewer { name } }', {}, secret)).errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' } },
    ]);
  });

  it('cannot be made with a scope that there is not', async () => {
    const { errors } = await gateway.ask(
      'mutation { createKey(input: { name: "x", scopes: ["all"] }) { secret } }',
    );
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

describe('applyFlow', () => {
  const APPLY = `mutation($input: ApplyFlowInput!) {
    applyFlow(input: $input) { endpoints { key endpoint { id kind declaredBy { owner key } } secret resultsEndpointId } }
  }`;

  it('makes what a flow declares, and changes nothing the second time', async () => {
    const input = {
      owner: 'node-red-1',
      endpoints: [
        { key: 'a', kind: 'FLOW', events: ['work_order.*'], startFrom: 'now' },
        { key: 'b', kind: 'WEBHOOK', url: 'https://hooks.example/in', results: true },
      ],
    };
    const first = await gateway.ask(APPLY, { input });
    expect(first.errors).toBeUndefined();
    const [a, b] = first.data.applyFlow.endpoints;
    expect(a).toMatchObject({
      key: 'a',
      endpoint: { kind: 'FLOW', declaredBy: { owner: 'node-red-1', key: 'a' } },
      resultsEndpointId: null,
    });
    expect(b.secret).toMatch(/^whsec_/);
    expect(b.resultsEndpointId).toMatch(/^ep_/);
    const second = await gateway.ask(APPLY, { input });
    expect(
      second.data.applyFlow.endpoints.map(({ endpoint }: { endpoint: { id: string } }) => endpoint.id),
    ).toEqual([a.endpoint.id, b.endpoint.id]);
    expect(second.data.applyFlow.endpoints[1].secret).toBeNull();
  });

  it.each([
    [{ key: 'a', kind: 'SLACK' }, 'input.endpoints.0.kind'],
    [{ key: 'a', kind: 'FLOW', startFrom: 'soon' }, 'input.endpoints.0.startFrom'],
  ])('refuses %j and names the field', async (endpoint, field) => {
    const { errors } = await gateway.ask(APPLY, { input: { owner: 'node-red-2', endpoints: [endpoint] } });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
  });
});
