import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeEvent, startFakeGateway } from '../nodes/support/fake-gateway.ts';
import type { FakeGateway } from '../nodes/support/fake-gateway.ts';
import { startNodeRed } from '../support/node-red.ts';
import type { RunningNodeRed } from '../support/node-red.ts';
import { mergeExampleFlows } from './example-flows.ts';

const SECRET = 'the secret of the MES';
const BODY =
  '{"id":"evt-123","type":"work_order.created","timestamp":"2024-01-15T10:30:00Z","data":{"workOrder":{"id":"wo-123","quantity":100}}}';

let gateway: FakeGateway;
let nodeRed: RunningNodeRed;

beforeAll(async () => {
  gateway = await startFakeGateway();
  nodeRed = await startNodeRed({
    flows: mergeExampleFlows(),
    credentials: { 'hookline-02-verify': { secret: SECRET } },
    // What `hookline start` gives its Node-RED.
    env: { HOOKLINE_URL: gateway.url, HOOKLINE_FLOW_KEY: gateway.key },
  });
});

afterAll(async () => {
  await nodeRed[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

describe('Node-RED with the built nodes', () => {
  it('loads every node without an error, with its page', async () => {
    const sets =
      await nodeRed.admin<{ id: string; module: string; types: string[]; err?: unknown; enabled: boolean }[]>(
        '/nodes',
      );
    const ours = sets.filter(({ module }) => module === '@hookline/node-red');
    expect(ours.flatMap(({ types }) => types).sort()).toEqual([
      'hookline-event',
      'hookline-gateway',
      'hookline-publish',
      'hookline-verify',
      'hookline-webhook',
    ]);
    expect(ours.filter(({ err, enabled }) => err !== undefined || !enabled)).toEqual([]);
    const pages = await (await fetch(`${nodeRed.url}/nodes`, { headers: { accept: 'text/html' } })).text();
    for (const type of ours.flatMap(({ types }) => types))
      expect(pages).toContain(`data-template-name="${type}"`);
  });

  it('starts the example flows with nothing missing and nothing wrong', () => {
    const problems = nodeRed.log.filter((line) =>
      /missing|\[error\]|\[warn\] \[hookline-(?!verify)/i.test(line),
    );
    expect(problems).toEqual([]);
  });

  it('declares the flows that are switched on, and no webhook', async () => {
    await gateway.until('the declaration', () => gateway.applied.length >= 1);
    const [{ owner, endpoints } = { owner: '', endpoints: [] }] = gateway.applied;
    expect(owner).toBe('hookline-default-gateway');
    expect(endpoints.map(({ key, kind }) => [key, kind])).toEqual([
      ['hookline-01-event', 'FLOW'],
      ['hookline-02-event', 'FLOW'],
      ['hookline-04-event', 'FLOW'],
    ]);
  });

  it('settles an event when the flow behind it has ended', async () => {
    gateway.give('ep_hookline-01-event', { deliveryId: 'dlv_first', token: '1' });
    const item = await gateway.until('the settlement', () =>
      gateway.settled.flat().find(({ deliveryId }) => deliveryId === 'dlv_first'),
    );
    expect(item).toMatchObject({ outcome: 'SUCCEEDED' });
  });

  it('keeps the credentials to itself', async () => {
    expect(JSON.stringify(await nodeRed.admin('/flows'))).not.toContain(SECRET);
  });

  it('offers the catalogue of the gateway, and how the gateway stands, to the editor', async () => {
    const types = await nodeRed.admin<{ name: string }[]>(
      '/hookline/gateway/hookline-default-gateway/event-types',
    );
    expect(types.map(({ name }) => name)).toContain('work_order.created');
    const page = await nodeRed.admin('/hookline/gateway/hookline-default-gateway/status');
    expect(page).toEqual({
      url: gateway.url,
      viewer: { name: 'fake flow key', scopes: ['flow'] },
      error: null,
    });
    await expect(nodeRed.admin('/hookline/gateway/unknown/status')).rejects.toThrow('404');
  });
});

describe('the flow that verifies, acknowledges and processes', () => {
  const post = (body: string, headers: Record<string, string>): Promise<Response> =>
    fetch(`${nodeRed.url}/receive/mes`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
  const sign = (body: string): Record<string, string> => ({
    'x-mes-signature': createHmac('sha256', SECRET).update(body).digest('hex'),
  });

  it('answers 200 when the gateway has the event', async () => {
    const response = await post(BODY, sign(BODY));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ok: true });
    expect(gateway.published).toEqual([
      {
        id: 'evt-123',
        type: 'work_order.created',
        timestamp: '2024-01-15T10:30:00.000Z',
        data: { workOrder: { id: 'wo-123', quantity: 100 } },
        test: false,
        hops: 0,
      },
    ]);
  });

  it('answers a wrong signature as the MES expects, and publishes nothing', async () => {
    const before = gateway.published.length;
    const response = await post(BODY, sign(`${BODY} `));
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ error: 'Invalid signature' });
    expect(gateway.published).toHaveLength(before);
  });

  it('answers 503 when the gateway cannot take the event', async () => {
    gateway.failures.push({ field: 'publishEvent', code: 'CONFLICT' });
    const response = await post(BODY, sign(BODY));
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
  });
});

describe('the flows that send, switched on and with a URL', () => {
  beforeAll(async () => {
    const url = 'https://receiver.example/hook';
    await nodeRed.deploy(
      mergeExampleFlows().map((node) => (node.type === 'tab' ? { ...node, disabled: false } : node)),
      {
        'hookline-03-webhook': { url },
        'hookline-05-webhook': { url },
        'hookline-06-webhook': { url },
      },
    );
  });

  /** Hands an event to a flow. @returns what its webhook sent because of it, `null` where it sent nothing */
  async function run(
    flow: string,
    type: string,
    data: object,
    machine: object | null = null,
  ): Promise<unknown> {
    const before = gateway.sent.length;
    const deliveryId = `dlv_${flow}_${before}_${gateway.settled.length}`;
    const event = fakeEvent({ id: `evt-${deliveryId}`, type, data, machine });
    gateway.give(`ep_hookline-${flow}-event`, { deliveryId, token: '1', event });
    const item = await gateway.until(`the end of flow ${flow}`, () =>
      gateway.settled.flat().find((settlement) => settlement['deliveryId'] === deliveryId),
    );
    expect(item).toMatchObject({ outcome: 'SUCCEEDED' });
    return gateway.sent[before]?.['payload'] ?? null;
  }

  it('tell that a work order is done', async () => {
    const workOrder = {
      orderNumber: 'WO-1',
      product: 'Widget A',
      completedQuantity: 100,
      status: 'COMPLETED',
    };
    expect(await run('03', 'work_order.completed', { workOrder })).toEqual({
      orderNumber: 'WO-1',
      product: 'Widget A',
      completed: 100,
      at: '2024-01-15T10:30:00.000Z',
    });
  });

  it('report a severe non-conformance, and no other', async () => {
    const ncr = { id: 'ncr-1', description: 'Bore <too> wide', severity: 'MAJOR' };
    expect(await run('05', 'quality.ncr_created', { ncr })).toMatchObject({
      text: 'MAJOR non-conformance ncr-1: Bore <too> wide',
    });
    expect(await run('05', 'quality.ncr_created', { ncr: { ...ncr, severity: 'MINOR' } })).toBeNull();
  });

  it('ask for maintenance where a stop needs it, and not for another category', async () => {
    const machine = { id: 'mill-02', name: 'Mill 2', group: 'Milling' };
    const downtime = { duration_seconds: 1800, category: 'Maintenance Required', notes: 'Spindle noise' };
    expect(await run('06', 'downtime.categorized', { machine, downtime }, machine)).toEqual({
      title: 'Maintenance: Mill 2',
      description: 'Spindle noise',
      machineId: 'mill-02',
      stoppedForSeconds: 1800,
      reportedAt: '2024-01-15T10:30:00.000Z',
    });
    const other = { ...downtime, category: 'Tool change' };
    expect(await run('06', 'downtime.categorized', { machine, downtime: other }, machine)).toBeNull();
  });
});
