import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buildSchema, execute, graphql, GraphQLError, parse, subscribe, validate } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { createChangeSignal } from './change-signal.ts';
import type { ChangeSignal } from './change-signal.ts';
import { createFedStream } from './fed-stream.ts';
import type { FedStream } from './fed-stream.ts';

/** The schema that the real gateway serves. */
export const gatewaySchema = buildSchema(
  readFileSync(join(import.meta.dirname, '../../../gateway/graphql/schema.graphql'), 'utf8'),
);

export interface FakeWork {
  deliveryId: string;
  token: string;
  attempt?: number;
  event?: Record<string, unknown>;
  context?: unknown;
}

export interface FakeConsumer {
  endpointId: string;
  prefetch: number;
  /** How it ended, from the gateway's side; null while it stands. */
  ended: 'completed' | 'lost' | null;
}

/** A gateway that remembers what it was asked and answers as it is told. Its API is the real one's, its inside is none. */
export interface FakeGateway extends AsyncDisposable, ChangeSignal {
  readonly url: string;
  readonly key: string;
  /** What was declared, latest last. */
  readonly applied: { owner: string; endpoints: ({ key: string } & Record<string, unknown>)[] }[];
  readonly published: Record<string, unknown>[];
  readonly sent: Record<string, unknown>[];
  /** Settlements, one list per request. */
  readonly settled: Record<string, unknown>[][];
  readonly consumers: FakeConsumer[];
  /** Websocket connections, from the first one. */
  connections: number;
  /** Errors for the next requests of a field, in order. */
  readonly failures: { field: string; code: string; message?: string; input?: string }[];
  /** Settlements are answered after it. */
  beforeSettling: Promise<unknown>;
  /** What the catalogue says of each published event. */
  catalogue: { catalogued: boolean; schemaErrors: string[] };
  /** The endpoint's id of a declared key. */
  endpointId(key: string): string;
  /** Hands work to whoever consumes the endpoint, now or later. */
  give(endpointId: string, work: FakeWork): void;
  /** Somebody follows deliveries. */
  followsDeliveries(): boolean;
  /** Shows a changed delivery to whoever follows deliveries. */
  showDelivery(delivery: Record<string, unknown>): void;
  /** Breaks all connections off, as a cable that is pulled. */
  dropConnections(): void;
  /** Keeps all connections and hears nothing more. */
  freeze(): void;
  /** Stops listening; `resume` listens on the same port again. */
  suspend(): Promise<void>;
  resume(): Promise<void>;
}

/** A whole event, as the API returns it. */
export function fakeEvent(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'evt-123',
    type: 'work_order.created',
    occurredAt: '2024-01-15T10:30:00.000Z',
    receivedAt: '2024-01-15T10:30:01.000Z',
    source: { name: 'mes' },
    machine: null,
    data: { workOrder: { id: 'wo-123', quantity: 100 } },
    test: false,
    hops: 0,
    ...over,
  };
}

export async function startFakeGateway(): Promise<FakeGateway> {
  const signal = createChangeSignal();
  const queues = new Map<string, FakeWork[]>();
  const streams = new Map<string, FedStream>();
  const deliveryStreams = new Set<FedStream>();
  const key = 'sk-fake';

  const failWhereTold = (field: string): void => {
    const index = fake.failures.findIndex((failure) => failure.field === field);
    if (index < 0) return;
    const [failure] = fake.failures.splice(index, 1);
    throw new GraphQLError(failure!.message ?? `told to fail with ${failure!.code}`, {
      extensions: { code: failure!.code, ...(failure!.input === undefined ? {} : { field: failure!.input }) },
    });
  };

  const roots = {
    viewer: () => ({ keyId: 'key_1', name: 'fake flow key', scopes: ['flow'] }),
    eventTypes: () => [
      {
        name: 'work_order.created',
        description: 'A work order was created.',
        deprecated: false,
        schema: {},
        example: {},
      },
      {
        name: 'work_order.completed',
        description: 'A work order is done.',
        deprecated: false,
        schema: {},
        example: {},
      },
      {
        name: 'quality.ncr_created',
        description: 'A nonconformance was reported.',
        deprecated: false,
        schema: {},
        example: {},
      },
    ],
    applyFlow: ({ input }: { input: FakeGateway['applied'][number] }) => {
      failWhereTold('applyFlow');
      fake.applied.push(structuredClone(input));
      signal.changed();
      return {
        endpoints: input.endpoints.map((endpoint) => ({
          key: endpoint.key,
          endpoint: { id: fake.endpointId(endpoint.key), active: true, paused: false },
          secret: null,
          resultsEndpointId: endpoint['results'] === true ? fake.endpointId(`${endpoint.key}:results`) : null,
        })),
      };
    },
    settle: async ({ items }: { items: Record<string, unknown>[] }) => {
      failWhereTold('settle');
      fake.settled.push(structuredClone(items));
      signal.changed();
      await fake.beforeSettling;
      return items.map(({ deliveryId }) => ({ id: deliveryId }));
    },
    sendToEndpoint: ({ input }: { input: Record<string, unknown> }) => {
      failWhereTold('sendToEndpoint');
      fake.sent.push(structuredClone(input));
      signal.changed();
      return { id: `dlv_${fake.sent.length}`, status: 'PENDING' };
    },
    publishEvent: ({ input }: { input: Record<string, unknown> }) => {
      failWhereTold('publishEvent');
      fake.published.push(structuredClone(input));
      signal.changed();
      const { id, type, data, test, hops } = input;
      return { ...fakeEvent({ id, type, data, test, hops, source: null }), ...fake.catalogue };
    },
    work: ({ consumer, prefetch }: { consumer: string; prefetch: number }) => {
      failWhereTold('work');
      const record: FakeConsumer = { endpointId: consumer, prefetch, ended: null };
      fake.consumers.push(record);
      const stream = createFedStream(() => {
        record.ended ??= 'completed';
        if (streams.get(consumer) === stream) streams.delete(consumer);
        signal.changed();
      });
      streams.set(consumer, stream);
      for (const work of queues.get(consumer) ?? []) stream.push({ work: wireWork(work) });
      queues.delete(consumer);
      signal.changed();
      return stream.iterable;
    },
    deliveries: () => {
      const stream = createFedStream(() => deliveryStreams.delete(stream));
      deliveryStreams.add(stream);
      signal.changed();
      return stream.iterable;
    },
  };

  const sockets = new WebSocketServer({ noServer: true });
  useServer(
    {
      schema: gatewaySchema,
      // The test runner loads another build of the library than the one that graphql-ws finds by itself.
      validate,
      execute,
      subscribe,
      roots: { query: roots, mutation: roots, subscription: roots },
      onConnect: ({ connectionParams }) => {
        if (connectionParams?.['authorization'] !== `Bearer ${key}`) return false;
        fake.connections += 1;
        signal.changed();
        return true;
      },
      onDisconnect: () => {
        for (const consumer of fake.consumers) consumer.ended ??= 'lost';
        signal.changed();
      },
    },
    sockets,
  );

  const listen = async (port: number): Promise<Server> => {
    const server = createServer((request, response) => void answerHttp(request, response, roots, key));
    server.on('upgrade', (request, socket, head) => {
      sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request));
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;

  const dropConnections = (): void => {
    for (const consumer of fake.consumers) consumer.ended ??= 'lost';
    for (const client of sockets.clients) client.terminate();
  };
  const suspend = async (): Promise<void> => {
    dropConnections();
    server.close();
    server.closeAllConnections();
    if (server.listening) await once(server, 'close');
  };

  const fake: FakeGateway = {
    ...signal,
    url: `http://127.0.0.1:${port}`,
    key,
    applied: [],
    published: [],
    sent: [],
    settled: [],
    consumers: [],
    connections: 0,
    failures: [],
    beforeSettling: Promise.resolve(),
    catalogue: { catalogued: true, schemaErrors: [] },
    endpointId: (name) => `ep_${name}`,
    give: (endpointId, work) => {
      const stream = streams.get(endpointId);
      if (stream === undefined) queues.set(endpointId, [...(queues.get(endpointId) ?? []), work]);
      else stream.push({ work: wireWork(work) });
    },
    followsDeliveries: () => deliveryStreams.size > 0,
    showDelivery: (delivery) => {
      for (const stream of deliveryStreams) stream.push({ deliveries: { cursor: 'e.1', node: delivery } });
    },
    dropConnections,
    freeze: () => {
      for (const client of sockets.clients) client.pause();
    },
    suspend,
    resume: async () => {
      server = await listen(port);
    },
    [Symbol.asyncDispose]: async () => {
      await suspend();
      sockets.close();
    },
  };
  return fake;
}

function wireWork({ deliveryId, token, attempt = 1, event = fakeEvent(), context = null }: FakeWork): object {
  return { deliveryId, token, attempt, context, leaseExpiresAt: '2030-01-01T00:00:00.000Z', event };
}

async function answerHttp(
  request: IncomingMessage,
  response: ServerResponse,
  roots: object,
  key: string,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const reply = (status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/graphql-response+json' });
    response.end(JSON.stringify(body));
  };
  if (request.headers.authorization !== `Bearer ${key}`) {
    reply(401, { errors: [{ message: 'The key is not valid.', extensions: { code: 'UNAUTHENTICATED' } }] });
    return;
  }
  const { query, variables } = JSON.parse(Buffer.concat(chunks).toString()) as {
    query: string;
    variables: object;
  };
  const problems = validate(gatewaySchema, parse(query));
  if (problems.length > 0) {
    reply(400, { errors: problems });
    return;
  }
  reply(
    200,
    await graphql({
      schema: gatewaySchema,
      source: query,
      rootValue: roots,
      variableValues: { ...variables },
    }),
  );
}
