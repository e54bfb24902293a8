import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createChangeSignal } from '../nodes/support/change-signal.ts';
import { askOverHttp, openLiveClient } from '../support/graphql-client.ts';
import { startReceiver } from '../support/http-receiver.ts';
import type { Receiver } from '../support/http-receiver.ts';
import { startNodeRed } from '../support/node-red.ts';
import type { RunningNodeRed } from '../support/node-red.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';

const MES_SECRET = 'the secret of the source mes';
const HOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

let product: Product;
let receiver: Receiver;
let flowKey: string;
let nodeRed: RunningNodeRed;

/** Events that flows published, as the gateway shows them live. */
const published: { id: string; type: string; data: Record<string, unknown> }[] = [];
const { changed, until } = createChangeSignal();

const tab = { id: 'tab', type: 'tab', label: 'Line 4' };
const gateway = { id: 'gw', type: 'hookline-gateway' };
const onTab = (id: string, type: string, wires: string[][], settings: object): object => ({
  id,
  type,
  z: 'tab',
  x: 10,
  y: 10,
  wires,
  ...settings,
});
const publishAs = (id: string, event: string, wires: string[][], data: string): object =>
  onTab(id, 'hookline-publish', wires, {
    gateway: 'gw',
    event,
    eventType: 'str',
    data,
    dataType: 'jsonata',
    keyType: 'auto',
  });

const FLOWS = [
  tab,
  gateway,
  onTab('completed', 'hookline-event', [['hook']], { gateway: 'gw', events: ['work_order.completed'] }),
  onTab('hook', 'hookline-webhook', [['told'], ['givenup']], { gateway: 'gw', retrySchedule: '0s' }),
  publishAs(
    'told',
    'erp.told',
    [],
    '{ "status": delivery.status, "statusCode": delivery.statusCode, "workOrder": payload.workOrder.id }',
  ),
  publishAs(
    'givenup',
    'erp.not_told',
    [],
    '{ "status": delivery.status, "workOrder": payload.workOrder.id }',
  ),
  onTab('started', 'hookline-event', [['ran']], { gateway: 'gw', events: ['operation.started'] }),
  publishAs('ran', 'flow.ran', [['forever']], '{ "attempt": hookline.attempt, "of": event.id }'),
  onTab('forever', 'delay', [[]], { pauseType: 'delay', timeout: '1', timeoutUnits: 'hours' }),
];

const startFlows = (): Promise<RunningNodeRed> =>
  startNodeRed({
    flows: FLOWS,
    credentials: { hook: { url: receiver.url('/hook'), secret: HOOK_SECRET } },
    env: { HOOKLINE_URL: product.url, HOOKLINE_FLOW_KEY: flowKey },
  });

/** What the MES sends, as it signs it. */
async function postFromMes(event: { id: string; type: string; data: object }): Promise<void> {
  const body = JSON.stringify({ timestamp: '2024-01-15T14:30:00Z', ...event });
  const response = await fetch(`${product.url}/webhooks/mes`, {
    method: 'POST',
    headers: { 'x-mes-signature': createHmac('sha256', MES_SECRET).update(body).digest('hex') },
    body,
  });
  expect(response.status).toBe(200);
}

const completed = (id: string): { id: string; type: string; data: { workOrder: { id: string } } } => ({
  id: `evt-${id}`,
  type: 'work_order.completed',
  data: { workOrder: { id } },
});

/** Resolves when the gateway knows of the endpoints of the flows. */
async function untilDeclared(): Promise<void> {
  for (;;) {
    const { data } = await askOverHttp(`${product.url}/graphql`, {
      key: product.adminKey,
      query: '{ endpoints(first: 10) { edges { node { id kind } } } }',
    });
    if (data!['endpoints'].edges.length >= 4) return;
  }
}

beforeAll(async () => {
  receiver = await startReceiver();
  product = await startProduct({
    command: 'serve',
    env: {
      HOOKLINE_EGRESS_ALLOW: '127.0.0.0/8',
      WEBHOOK_SECRET: MES_SECRET,
      HOOKLINE_RETRY_SCHEDULE: '0s,100ms,100ms',
    },
  });
  const { data } = await askOverHttp(`${product.url}/graphql`, {
    key: product.adminKey,
    query: 'mutation { createKey(input: { name: "node-red", scopes: ["flow"] }) { secret } }',
  });
  flowKey = data!['createKey'].secret;
  const live = openLiveClient(`${product.url}/graphql`, product.adminKey);
  live.subscribe<{ events: { node: (typeof published)[number] } }>(
    { query: 'subscription { events(filter: { types: ["erp.*", "flow.*"] }) { node { id type data } } }' },
    {
      next: (result) => {
        published.push(result.data!.events.node);
        changed();
      },
      error: () => undefined,
      complete: () => undefined,
    },
  );
  nodeRed = await startFlows();
  await untilDeclared();
});

afterAll(async () => {
  await nodeRed[Symbol.asyncDispose]();
  await product[Symbol.asyncDispose]();
  await receiver.close();
});

const seen = (
  type: string,
  what: (data: Record<string, unknown>) => boolean,
): Promise<(typeof published)[number]> =>
  until(`an event ${type}`, () => published.find((event) => event.type === type && what(event.data)));

it('an event of the MES goes through a flow to a receiver, signed, and the flow hears that it arrived', async () => {
  await postFromMes(completed('wo-1'));
  const [request] = await receiver.waitFor(1);
  const body = request!.body.toString();
  expect(JSON.parse(body)).toMatchObject({
    type: 'work_order.completed',
    data: { workOrder: { id: 'wo-1' } },
  });
  expect(new Webhook(HOOK_SECRET).verify(body, request!.headers)).toBeDefined();
  expect(request!.headers['x-mes-signature']).toBe(
    createHmac('sha256', HOOK_SECRET).update(body).digest('hex'),
  );
  const told = await seen('erp.told', ({ workOrder }) => workOrder === 'wo-1');
  expect(told.data).toEqual({ status: 'SUCCEEDED', statusCode: 200, workOrder: 'wo-1' });
});

it('a flow hears that a delivery was given up', async () => {
  receiver.respond({ status: 500 }, { status: 200 });
  await postFromMes(completed('wo-2'));
  const notTold = await seen('erp.not_told', ({ workOrder }) => workOrder === 'wo-2');
  expect(notTold.data['status']).toBe('EXHAUSTED');
});

it('the result of a delivery comes out of the node though Node-RED was killed meanwhile', async () => {
  const answer = Promise.withResolvers<void>();
  receiver.respond({ after: answer.promise }, {});
  await postFromMes(completed('wo-3'));
  await receiver.waitFor((request) => request.body.includes('wo-3'));
  await nodeRed.stop('SIGKILL');
  await nodeRed[Symbol.asyncDispose]();
  answer.resolve();
  nodeRed = await startFlows();
  const told = await seen('erp.told', ({ workOrder }) => workOrder === 'wo-3');
  expect(told.data).toMatchObject({ status: 'SUCCEEDED', workOrder: 'wo-3' });
});

it('an event that was in a flow when Node-RED was killed goes through it again', async () => {
  await postFromMes({ id: 'evt-op', type: 'operation.started', data: { operation: { id: 'op-1' } } });
  await seen('flow.ran', ({ of, attempt }) => of === 'evt-op' && attempt === 1);
  await nodeRed.stop('SIGKILL');
  await nodeRed[Symbol.asyncDispose]();
  nodeRed = await startFlows();
  await seen('flow.ran', ({ of, attempt }) => of === 'evt-op' && attempt === 2);
});
