import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/clock.ts';
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

/** Unique per test, so that they pass in any order. */
let type: string;
let made = 0;
beforeEach(() => {
  made += 1;
  type = `query.test_${made}`;
});

async function makeEndpoint(overrides: Record<string, unknown> = {}) {
  return gateway.services.endpoints.create({ url: 'https://hooks.example/in', events: [type], ...overrides });
}

describe('asking by id', () => {
  it('tells the type of a thing by the prefix of its id', async () => {
    const { endpoint } = await makeEndpoint();
    const { key } = await gateway.services.keys.create({ name: 'one', scopes: ['events:read'] });
    const eventId = await gateway.storeEvent({ type }, owe(systemClock, endpoint.id));
    const page = await gateway.store.reader.deliveries({
      where: { eventIds: [eventId] },
      limit: 1,
      order: 'newest',
      after: null,
    });
    const deliveryId = page.rows[0]!.row.id;
    const { data } = await gateway.ask('query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', {
      ids: [eventId, endpoint.id, deliveryId, 'src_mes', key.id, 'dlv_nothing', 'evt-nothing'],
    });
    expect(data.nodes).toEqual([
      { __typename: 'Event', id: eventId },
      { __typename: 'Endpoint', id: endpoint.id },
      { __typename: 'Delivery', id: deliveryId },
      { __typename: 'Source', id: 'src_mes' },
      { __typename: 'Key', id: key.id },
      null,
      null,
    ]);
  });

  it('gives null for what is not there', async () => {
    const { data, errors } = await gateway.ask(
      '{ event(id: "no") { id } endpoint(id: "ep_no") { id } delivery(id: "dlv_no") { id } node(id: "no") { id } }',
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({ event: null, endpoint: null, delivery: null, node: null });
  });
});

describe('an event', () => {
  it('shows what it says, where it came from and how it differs from the catalogue', async () => {
    const id = await gateway.storeEvent({
      type: 'downtime.categorized',
      source: 'mes',
      data: { duration: 'long' },
      machine: { id: 'm-1', name: 'Mill' },
      raw: Buffer.from('{"märz":1}'),
    });
    const { data } = await gateway.ask(
      'query($id: ID!) { event(id: $id) { source { name } data raw catalogued schemaErrors machine { id name group } hops test verifiedLeniently } }',
      { id },
    );
    expect(data.event).toMatchObject({
      source: { name: 'mes' },
      data: { duration: 'long' },
      raw: '{"märz":1}',
      catalogued: true,
      machine: { id: 'm-1', name: 'Mill', group: null },
      hops: 0,
      test: false,
      verifiedLeniently: false,
    });
    expect(data.event.schemaErrors.length).toBeGreaterThan(0);
  });

  it('that says null does not break the list it stands in', async () => {
    await gateway.storeEvent({ type, data: null });
    const { data, errors } = await gateway.ask(
      'query($types: [String!]) { events(filter: { types: $types }) { edges { node { data } } } }',
      { types: [type] },
    );
    expect(errors).toBeUndefined();
    expect(data.events.edges).toEqual([{ node: { data: {} } }]);
  });

  it('has as raw text what is delivered where nothing else was received', async () => {
    const id = await gateway.storeEvent({ type, source: null, data: { a: 1 } });
    const { data } = await gateway.ask(
      'query($id: ID!) { event(id: $id) { source { name } raw catalogued schemaErrors } }',
      { id },
    );
    expect(JSON.parse(data.event.raw)).toMatchObject({ id, type, data: { a: 1 } });
    expect(data.event).toMatchObject({ source: null, catalogued: false, schemaErrors: [] });
  });
});

describe('deliveries', () => {
  it('show their attempts, events and endpoints, and ask the store for all of them at once', async () => {
    const { endpoint } = await makeEndpoint();
    const ids: string[] = [];
    for (let made = 0; made < 4; made += 1)
      ids.push(await gateway.storeEvent({ type }, owe(systemClock, endpoint.id, { pool: type })));
    const worker = new TestWorker(gateway.store, { pool: type });
    const leases = await worker.take(4);
    await gateway.store.record(
      leases.map(({ deliveryId, token }) => ({
        deliveryId,
        token,
        attempt: makeAttempt(systemClock, { requestHeaders: '{"x-one":"1"}', responseHeaders: null }),
        status: 'SUCCEEDED',
        dueAt: null,
        step: 1,
        reason: null,
        causes: [],
      })),
    );
    await worker.stop();
    const asked: string[] = [];
    const { reader } = gateway.store;
    const { eventsById, attempts } = reader;
    reader.eventsById = (wanted) => {
      asked.push(`events ${wanted.length}`);
      return eventsById.call(reader, wanted);
    };
    reader.attempts = (wanted) => {
      asked.push(`attempts ${wanted.length}`);
      return attempts.call(reader, wanted);
    };
    const { data, errors } = await gateway.ask(
      `query($types: [String!]) {
        deliveries(filter: { types: $types, statuses: [SUCCEEDED] }) {
          edges { node {
            status attemptCount
            event { id }
            endpoint { url }
            attempts { number outcome statusCode requestHeaders requestBody responseHeaders responseBody error { code } }
          } }
        }
      }`,
      { types: [type] },
    );
    reader.eventsById = eventsById;
    reader.attempts = attempts;
    expect(errors).toBeUndefined();
    const nodes = data.deliveries.edges.map(({ node }: { node: unknown }) => node);
    expect(nodes.map(({ event }: { event: { id: string } }) => event.id)).toEqual(ids.toReversed());
    expect(nodes[0]).toMatchObject({
      status: 'SUCCEEDED',
      attemptCount: 1,
      endpoint: { url: 'https://hooks.example/in' },
      attempts: [
        {
          number: 1,
          outcome: 'SUCCESS',
          statusCode: 200,
          requestHeaders: { 'x-one': '1' },
          responseHeaders: null,
          error: null,
        },
      ],
    });
    expect(JSON.parse(nodes[0].attempts[0].requestBody)).toMatchObject({ id: ids[3] });
    // The events for `event`, and again for the bodies that were sent.
    expect(asked).toEqual(['events 4', 'attempts 4', 'events 4']);
  });

  it('of one event are asked for at the event', async () => {
    const one = await makeEndpoint();
    const other = await makeEndpoint({ url: 'https://other.example/in' });
    const id = await gateway.storeEvent(
      { type },
      owe(systemClock, one.endpoint.id),
      owe(systemClock, other.endpoint.id),
    );
    await gateway.storeEvent({ type }, owe(systemClock, one.endpoint.id));
    const { data } = await gateway.ask(
      'query($id: ID!) { event(id: $id) { deliveries(first: 1) { edges { node { endpoint { id } } } pageInfo { hasNextPage } } } }',
      { id },
    );
    expect(data.event.deliveries.edges).toHaveLength(1);
    expect(data.event.deliveries.pageInfo.hasNextPage).toBe(true);
  });
});

describe('the rest', () => {
  it('says who asks', async () => {
    const key = await gateway.keyWith('events:read', 'metrics:read');
    const { data } = await gateway.ask('{ viewer { name keyId scopes } }', {}, key);
    expect(data.viewer).toMatchObject({
      name: 'events:read metrics:read',
      scopes: ['events:read', 'metrics:read'],
    });
    expect(data.viewer.keyId).toMatch(/^key_/);
  });

  it('shows the catalogue, the sources and the keys', async () => {
    const { data } = await gateway.ask(
      '{ eventTypes { name deprecated schema example } sources { name signature { header } } keys { name scopes } }',
    );
    expect(data.eventTypes.map(({ name }: { name: string }) => name)).toContain('work_order.created');
    expect(data.sources).toEqual([{ name: 'mes', signature: { header: 'x-mes-signature' } }]);
    expect(JSON.stringify(data.keys)).not.toContain('sk-');
  });
});
