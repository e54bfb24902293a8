import type { Client } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/clock.ts';
import { readConfig } from '../../gateway/config.ts';
import { startGateway } from '../../gateway/gateway.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { createLogger } from '../../gateway/log.ts';
import { askOverHttp, openLiveClient, openWelcomeWire } from '../support/graphql-client.ts';
import type { Parsed } from '../support/graphql-client.ts';
import { startReceiver } from '../support/http-receiver.ts';
import type { Receiver } from '../support/http-receiver.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

const ADMIN = 'sk-admin-of-these-tests';
const FLOW = 'sk-flow-of-these-tests';

let folder: TempFolder;
let gateway: Gateway;
let receiver: Receiver;
let url: string;
const clients: Client[] = [];

beforeAll(async () => {
  folder = await makeTempFolder();
  receiver = await startReceiver();
  const settings = {
    HOOKLINE_PORT: '0',
    HOOKLINE_DATA_DIR: folder.path,
    HOOKLINE_EGRESS_ALLOW: '127.0.0.0/8',
  };
  gateway = await startGateway({
    config: readConfig(settings, folder.path),
    secrets: { adminKey: ADMIN, secretKey: Buffer.alloc(32, 7).toString('base64'), flowKey: FLOW },
    dataDir: folder.path,
    clock: systemClock,
    log: createLogger({ stream: { write: () => true } }),
  });
  url = `${gateway.url}/graphql`;
});
afterAll(async () => {
  for (const client of clients) await client.dispose();
  await gateway.close();
  await receiver[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function ask(query: string, variables: Record<string, unknown> = {}, key = ADMIN): Promise<Parsed> {
  const { data, errors } = await askOverHttp(url, { query, variables, key });
  expect(errors).toBeUndefined();
  return data;
}

function live(key = ADMIN): Client {
  const client = openLiveClient(url, key);
  clients.push(client);
  return client;
}

let made = 0;
function newType(): string {
  made += 1;
  return `real.test_${made}`;
}

/** The data of the first frame that is as wanted. */
async function untilFrame(
  stream: AsyncIterable<{ data?: Parsed }>,
  isWanted: (data: Parsed) => boolean,
): Promise<Parsed> {
  for await (const { data } of stream) if (isWanted(data)) return data;
  throw new Error('The stream ended before that.');
}

const CREATE =
  'mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { endpoint { id } secret } }';
const PUBLISH = 'mutation($input: PublishEventInput!) { publishEvent(input: $input) { id } }';

describe('a webhook', () => {
  it('is made, sent and followed from the event to its success', async () => {
    const type = newType();
    const { createEndpoint } = await ask(CREATE, { input: { url: receiver.url('/hook'), events: [type] } });
    const { deliveries } = await ask('{ deliveries(first: 1) { liveCursor } }');
    const { publishEvent } = await ask(PUBLISH, { input: { type, data: { part: 7 } } });
    const stream = live().iterate<Parsed>({
      query: `subscription($endpoints: [ID!], $after: String) {
        deliveries(filter: { endpoints: $endpoints }, after: $after) { node { id status event { id } attempts { outcome statusCode requestBody requestHeaders } } }
      }`,
      variables: { endpoints: [createEndpoint.endpoint.id], after: deliveries.liveCursor },
    });
    const { deliveries: frame } = await untilFrame(
      stream,
      (data) => data.deliveries.node.status === 'SUCCEEDED',
    );
    expect(frame.node).toMatchObject({
      event: { id: publishEvent.id },
      attempts: [{ outcome: 'SUCCESS', statusCode: 200 }],
    });
    expect(JSON.parse(frame.node.attempts[0].requestBody)).toMatchObject({
      id: publishEvent.id,
      type,
      data: { part: 7 },
    });
    expect(frame.node.attempts[0].requestHeaders['webhook-id']).toBe(publishEvent.id);
    const arrived = receiver.requests.find(({ headers }) => headers['webhook-id'] === publishEvent.id);
    expect(arrived?.body.toString()).toBe(frame.node.attempts[0].requestBody);
  });

  it('is tested alone, and its test is no part of the list of events', async () => {
    const { createEndpoint } = await ask(CREATE, {
      input: { url: receiver.url('/test'), events: ['nothing.else'] },
    });
    const { sendTestEvent } = await ask(
      'mutation($id: ID!) { sendTestEvent(endpointId: $id, eventType: "work_order.created") { test event { id test } } }',
      { id: createEndpoint.endpoint.id },
    );
    expect(sendTestEvent).toMatchObject({ test: true, event: { test: true } });
    const { events } = await ask('{ events(filter: { test: true }) { edges { node { id } } } }');
    expect(events.edges).toEqual([]);
  });

  it('cannot be told to go where the policy does not allow, and the remedy is said', async () => {
    const { errors } = await askOverHttp(url, {
      query: CREATE,
      variables: { input: { url: 'https://10.1.2.3/x', events: ['*'] } },
      key: ADMIN,
    });
    expect(errors).toMatchObject([
      { message: expect.stringContaining('10.1.2.3'), extensions: { code: 'BAD_USER_INPUT', field: 'url' } },
    ]);
  });
});

describe('events', () => {
  it('that come in signed are streamed, and those meant for one endpoint are not', async () => {
    const type = newType();
    const { createEndpoint } = await ask(CREATE, { input: { url: receiver.url('/direct'), events: [type] } });
    const { events } = await ask('{ events(first: 1) { liveCursor } }');
    await ask('mutation($input: SendToEndpointInput!) { sendToEndpoint(input: $input) { id } }', {
      input: { endpointId: createEndpoint.endpoint.id, payload: { direct: true }, idempotencyKey: 'one' },
    });
    const { publishEvent } = await ask(PUBLISH, { input: { type, data: {} } });
    const stream = live().iterate<Parsed>({
      query: 'subscription($after: String) { events(after: $after) { cursor node { id } } }',
      variables: { after: events.liveCursor },
    });
    const frame = await untilFrame(stream, () => true);
    expect(frame.events.node.id).toBe(publishEvent.id);
  });
});

describe('a flow', () => {
  const APPLY =
    'mutation($input: ApplyFlowInput!) { applyFlow(input: $input) { endpoints { key endpoint { id } resultsEndpointId } } }';
  const WORK =
    'subscription($consumer: ID!) { work(consumer: $consumer) { deliveryId token attempt event { type data } context } }';
  const SETTLE = 'mutation($items: [SettleInput!]!) { settle(items: $items) { id status } }';

  it('gets what it missed, settles it, and has it done', async () => {
    const type = newType();
    await ask(PUBLISH, { input: { type, data: { n: 1 } } });
    const { applyFlow } = await ask(
      APPLY,
      {
        input: { owner: type, endpoints: [{ key: 'in', kind: 'FLOW', events: [type], startFrom: 'oldest' }] },
      },
      FLOW,
    );
    const consumer = applyFlow.endpoints[0].endpoint.id;
    const stream = live(FLOW).iterate<Parsed>({ query: WORK, variables: { consumer } });
    const { work } = (await stream.next()).value.data;
    expect(work).toMatchObject({ attempt: 1, event: { type, data: { n: 1 } }, context: null });
    const { settle } = await ask(
      SETTLE,
      { items: [{ deliveryId: work.deliveryId, token: work.token, outcome: 'SUCCEEDED' }] },
      FLOW,
    );
    expect(settle).toEqual([{ id: work.deliveryId, status: 'SUCCEEDED' }]);
    await stream.return!();
  });

  it('gets work back at once where a consumer says goodbye, and as a second attempt where it crashes', async () => {
    const type = newType();
    const input = {
      owner: type,
      endpoints: [{ key: 'in', kind: 'FLOW', events: [type], retrySchedule: ['0s', '0s', '0s'] }],
    };
    const { applyFlow } = await ask(APPLY, { input }, FLOW);
    const consumer = applyFlow.endpoints[0].endpoint.id;
    await ask(PUBLISH, { input: { type, data: {} } });
    const subscribe = { id: 'w', type: 'subscribe', payload: { query: WORK, variables: { consumer } } };
    const takeWork = async () => {
      const wire = await openWelcomeWire(url, FLOW);
      wire.send(subscribe);
      return { wire, work: (await wire.next()).payload.data.work };
    };

    const first = await takeWork();
    expect(first.work.attempt).toBe(1);
    first.wire.send({ id: 'w', type: 'complete' });
    const second = await takeWork();
    expect(second.work).toMatchObject({ deliveryId: first.work.deliveryId, attempt: 1 });
    first.wire.socket.terminate();
    second.wire.socket.terminate();
    const third = await takeWork();
    expect(third.work).toMatchObject({ deliveryId: first.work.deliveryId, attempt: 2 });
    third.wire.socket.terminate();
  });

  it('gets the result of what it sent, with the context it gave', async () => {
    const owner = newType();
    const { applyFlow } = await ask(
      APPLY,
      {
        input: {
          owner,
          endpoints: [{ key: 'out', kind: 'WEBHOOK', url: receiver.url('/out'), results: true }],
        },
      },
      FLOW,
    );
    const [{ endpoint, resultsEndpointId }] = applyFlow.endpoints;
    const { sendToEndpoint } = await ask(
      'mutation($input: SendToEndpointInput!) { sendToEndpoint(input: $input) { id } }',
      {
        input: { endpointId: endpoint.id, payload: { a: 1 }, idempotencyKey: owner, context: { topic: 'x' } },
      },
      FLOW,
    );
    const stream = live(FLOW).iterate<Parsed>({ query: WORK, variables: { consumer: resultsEndpointId } });
    const { work } = await untilFrame(stream, () => true);
    expect(work).toMatchObject({
      event: {
        type: 'hookline.delivery.succeeded',
        data: { delivery: { id: sendToEndpoint.id, status: 'SUCCEEDED', endpointId: endpoint.id } },
      },
      context: { topic: 'x' },
    });
  });

  it('cannot work for an endpoint that is none of its kind', async () => {
    const { createEndpoint } = await ask(CREATE, {
      input: { url: receiver.url('/no'), events: ['nothing.else'] },
    });
    for (const [consumer, code] of [
      [createEndpoint.endpoint.id, 'BAD_USER_INPUT'],
      ['ep_nothing', 'NOT_FOUND'],
    ]) {
      await expect(live(FLOW).iterate({ query: WORK, variables: { consumer } }).next()).rejects.toMatchObject(
        [{ extensions: { code } }],
      );
    }
  });
});
