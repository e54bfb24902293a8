import { once } from 'node:events';
import type { Client } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { systemClock } from '../../gateway/clock.ts';
import { openWelcomeWire } from '../support/graphql-client.ts';
import type { Parsed } from '../support/graphql-client.ts';
import { makeEvent, newEvent, owe, succeed, TestWorker } from '../support/store-fixtures.ts';
import { startTestGateway } from './support/test-gateway.ts';
import type { TestGateway } from './support/test-gateway.ts';
import { ADMIN_KEY } from './support/test-services.ts';

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
  type = `stream.test_${made}`;
});
afterEach(async () => {
  await gateway.tails.untilOpen(0);
});

const EVENTS = `subscription($types: [String!], $after: String) {
  events(filter: { types: $types }, after: $after) { cursor node { id data } }
}`;

/** Follows events; each frame is its edge. */
function follow(
  client: Client,
  variables: Record<string, unknown>,
): AsyncIterableIterator<{ cursor: string; id: string }> {
  const frames = client.iterate<Parsed>({ query: EVENTS, variables: { types: [type], ...variables } });
  return {
    next: async () => {
      const { done, value } = await frames.next();
      if (done === true) return { done, value: undefined };
      const { cursor, node } = value.data!.events;
      return { done: false, value: { cursor, id: node.id } };
    },
    return: async () => {
      await frames.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function take<Item>(stream: AsyncIterator<Item>, count: number): Promise<Item[]> {
  const items: Item[] = [];
  while (items.length < count) {
    const { done, value } = await stream.next();
    if (done === true) throw new Error(`The stream ended after ${items.length} of ${count}.`);
    items.push(value);
  }
  return items;
}

async function storeMany(count: number): Promise<string[]> {
  const events = Array.from({ length: count }, () => makeEvent(systemClock, { type }));
  await gateway.store.append(events.map((event) => newEvent(event)));
  return events.map(({ id }) => id);
}

describe('the stock client', () => {
  it('asks over the websocket what it could over HTTP', async () => {
    const answers = await take(gateway.live().iterate<Parsed>({ query: '{ viewer { name } }' }), 1);
    expect(answers).toEqual([{ data: { viewer: { name: 'admin' } } }]);
  });

  it('gets events from now on, in order, and only those it asked for', async () => {
    await gateway.storeEvent({ type });
    const stream = follow(gateway.live(), {});
    const first = take(stream, 1);
    await gateway.tails.untilOpen(1);
    await gateway.storeEvent({ type: `${type}.other` });
    const ids = await storeMany(3);
    const edges = [...(await first), ...(await take(stream, 2))];
    expect(edges.map(({ id }) => id)).toEqual(ids);
    await stream.return!();
  });

  it('catches up from a cursor, then goes on live, without gap or duplicate', async () => {
    const [first] = await storeMany(1);
    const page = await gateway.ask(
      'query($types: [String!]) { events(filter: { types: $types }) { edges { cursor } liveCursor } }',
      { types: [type] },
    );
    expect(page.data.events.edges).toHaveLength(1);
    const before = await storeMany(700);
    const stream = follow(gateway.live(), { after: page.data.events.liveCursor });
    const caught = await take(stream, 350);
    const after = await storeMany(300);
    const rest = await take(stream, 650);
    const ids = [...caught, ...rest].map(({ id }) => id);
    expect(ids).toEqual([...before, ...after]);
    expect(ids).not.toContain(first);
    await stream.return!();
  });

  it('resumes after a lost connection where it stood, with nothing but a getter for its cursor', async () => {
    let socket: WebSocket | undefined;
    let last: string | undefined;
    const client = gateway.live({
      retryAttempts: 5,
      retryWait: () => Promise.resolve(),
      shouldRetry: () => true,
      on: { opened: (opened) => (socket = opened as WebSocket) },
    });
    const variables = {
      types: [type],
      get after() {
        return last;
      },
    };
    const seen: string[] = [];
    const stream = client.iterate<Parsed>({ query: EVENTS, variables });
    const next = async (): Promise<void> => {
      const { value } = await stream.next();
      last = value.data.events.cursor;
      seen.push(value.data.events.node.id);
    };
    const first = next();
    await gateway.tails.untilOpen(1);
    const before = await storeMany(2);
    await first;
    await next();
    const lost = once(socket!, 'close');
    socket!.terminate();
    await lost;
    await gateway.tails.untilOpen(0);
    const meanwhile = await storeMany(3);
    while (seen.length < 5) await next();
    const after = await storeMany(1);
    await next();
    expect(seen).toEqual([...before, ...meanwhile, ...after]);
    await stream.return!();
  });

  it('gets each change of a delivery as it was right then', async () => {
    const { endpoint } = await gateway.services.endpoints.create({
      url: 'https://hooks.example/in',
      events: [type],
    });
    const worker = new TestWorker(gateway.store, { pool: type });
    const stream = gateway.live().iterate<Parsed>({
      query: `subscription($endpoints: [ID!]) {
        deliveries(filter: { endpoints: $endpoints }) { cursor node { status attemptCount event { id } attempts { outcome } } }
      }`,
      variables: { endpoints: [endpoint.id] },
    });
    const frames = take(stream, 2);
    await gateway.tails.untilOpen(1);
    const id = await gateway.storeEvent({ type }, owe(systemClock, endpoint.id, { pool: type }));
    const lease = await worker.next();
    await gateway.store.record([succeed(systemClock as never, lease)]);
    const nodes = (await frames).map(({ data }) => data.deliveries.node);
    expect(nodes).toMatchObject([
      { status: expect.stringMatching(/PENDING|SENDING/), event: { id } },
      { status: 'SUCCEEDED', attemptCount: 1, event: { id }, attempts: [{ outcome: 'SUCCESS' }] },
    ]);
    await stream.return!();
    await worker.stop();
  });
});

describe('what cannot be streamed', () => {
  it.each([
    ['a cursor that is none', { after: 'what?' }, { code: 'BAD_USER_INPUT', field: 'after' }],
    [
      'a cursor of another epoch',
      { after: 'gone.1' },
      { code: 'CURSOR_EXPIRED', oldestCursor: expect.any(String) },
    ],
    ['a type that is none', { types: ['a.*.b'] }, { code: 'BAD_USER_INPUT', field: 'filter.types' }],
  ])('%s ends the subscription with a typed error', async (_case, variables, extensions) => {
    const stream = gateway.live().iterate<Parsed>({ query: EVENTS, variables });
    await expect(stream.next()).rejects.toMatchObject([{ extensions }]);
  });

  it('is what the key does not cover', async () => {
    const client = gateway.live({}, await gateway.keyWith('webhooks:read'));
    await expect(client.iterate({ query: EVENTS }).next()).rejects.toMatchObject([
      { extensions: { code: 'FORBIDDEN', scopes: ['events:read'] } },
      { extensions: { code: 'FORBIDDEN' } },
    ]);
  });

  it('hides what went wrong inside, and the log has it under the same id', async () => {
    const { tail } = gateway.store;
    gateway.store.tail = () => {
      throw new Error('the password is 1234');
    };
    const stream = gateway.live().iterate({ query: EVENTS });
    const errors = await stream.next().then(
      () => [],
      (failure: { message: string; extensions: { id: string } }[]) => failure,
    );
    gateway.store.tail = tail;
    expect(errors).toMatchObject([{ message: 'Internal error', extensions: { code: 'INTERNAL' } }]);
    expect(gateway.logged.map(({ fields }) => fields['id'])).toContain(errors[0]!.extensions.id);
  });
});

describe('a subscription that ends', () => {
  it('lets go of the journal at once, though nothing happens any more', async () => {
    const wire = await openWelcomeWire(gateway.url, ADMIN_KEY);
    for (const id of ['one', 'two'])
      wire.send({ id, type: 'subscribe', payload: { query: EVENTS, variables: { types: [type] } } });
    await gateway.tails.untilOpen(2);
    wire.send({ id: 'one', type: 'complete' });
    await gateway.tails.untilOpen(1);
    wire.socket.terminate();
    await gateway.tails.untilOpen(0);
  });

  it('lets go of the journal when the API closes', async () => {
    const own = await startTestGateway();
    const wire = await openWelcomeWire(own.url, ADMIN_KEY);
    wire.send({ id: 'one', type: 'subscribe', payload: { query: EVENTS } });
    await own.tails.untilOpen(1);
    await own.closeApi();
    expect(await wire.closed).toEqual({ code: 1001, reason: 'Going away' });
    expect(own.tails.open).toBe(0);
    await own[Symbol.asyncDispose]();
  });
});

describe('a slow reader', () => {
  it('costs a cursor: the journal is not read on while it does not read, and it misses nothing', async () => {
    const wire = await openWelcomeWire(gateway.url, ADMIN_KEY);
    const after = await gateway.store.head();
    const count = 2000;
    const data = { filler: 'x'.repeat(12_000) };
    for (let stored = 0; stored < count; stored += 250) {
      const events = Array.from({ length: 250 }, (_, place) =>
        makeEvent(systemClock, { id: `${type}-${stored + place}`, type, data }),
      );
      await gateway.store.append(events.map((event) => newEvent(event)));
    }
    wire.socket.pause();
    wire.send({
      id: 'one',
      type: 'subscribe',
      payload: { query: EVENTS, variables: { types: [type], after } },
    });
    await gateway.tails.untilOpen(1);
    // Whoever reads gets all of it meanwhile. What the other one does not take does not fit between two sockets.
    const other = follow(gateway.live(), { after });
    await take(other, count);
    await other.return!();
    const [slow, quick] = gateway.tails.pulls.slice(-2);
    expect(quick).toBeGreaterThanOrEqual(8);
    expect(slow).toBeLessThan(7);

    wire.socket.resume();
    const ids: string[] = [];
    while (ids.length < count) ids.push((await wire.next()).payload.data.events.node.id);
    expect(ids).toEqual(Array.from({ length: count }, (_, place) => `${type}-${place}`));
    wire.socket.terminate();
  });
});
