import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startReceiver } from '../support/http-receiver.ts';
import type { ReceivedRequest, Receiver } from '../support/http-receiver.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { askProduct, registerEndpoint } from './support/product-client.ts';
import { postWithCurl, runInShell, signWithOpenssl } from './support/programs.ts';
import type { CurlAnswer } from './support/programs.ts';
import { findObjections } from './support/receiver-check.ts';

/*
 * The vendors' own samples, byte for byte as their pages show them, sent with the programs that are on every
 * machine to the product as `npm start` runs it, and taken by a receiver that goes by the vendor's page.
 */

const MES_SECRET = 'whsec_c2VjcmV0IG9mIHRoZSBNRVMgaW4gdGhpcyB0ZXN0';
const MACHINEMETRICS_SECRET = 'a password from the workflow editor';
const SLOW_MS = 60_000;

const samplePath = (name: string): string => join(import.meta.dirname, '..', 'fixtures', 'vendor', name);
const readSample = (name: string): string => readFileSync(samplePath(name), 'utf8');

const CREATED = 'machshop-work-order-created.json';
const COMPLETED = 'machshop-work-order-completed.json';
const DOWNTIME = 'machinemetrics-downtime-categorized.json';

let product: Product;
let receiver: Receiver;
/** What the registering call of the vendor's page was answered. */
let registered: { id: string; url: string; events: string[]; active: boolean; secret: string };
let downtimes: { id: string; secret: string };

beforeAll(async () => {
  receiver = await startReceiver();
  product = await startProduct({
    env: {
      HOOKLINE_EGRESS_ALLOW: '127.0.0.0/8',
      WEBHOOK_SECRET: MES_SECRET,
      HOOKLINE_SOURCE_MACHINEMETRICS_SECRET: MACHINEMETRICS_SECRET,
    },
  });
  const command = readSample('machshop-register-endpoint.sh')
    .replace('https://api.mes.company.com', product.url)
    .replace('YOUR_API_KEY', product.adminKey)
    .replace('https://yourapp.com/webhooks/mes', receiver.url('/webhooks/mes'));
  registered = JSON.parse(await runInShell(command)) as typeof registered;
  downtimes = await registerEndpoint(product, { url: receiver.url('/downtimes'), events: ['downtime.*'] });
}, SLOW_MS);

afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

async function postSample(source: 'mes' | 'machinemetrics', name: string): Promise<CurlAnswer> {
  const [header, secret] =
    source === 'mes'
      ? ['x-mes-signature', MES_SECRET]
      : ['x-machinemetrics-signature', MACHINEMETRICS_SECRET];
  const signature = await signWithOpenssl(samplePath(name), secret);
  return postWithCurl(`${product.url}/webhooks/${source}`, samplePath(name), { [header]: signature });
}

/** The first delivery of this type. */
async function delivered(type: string): Promise<ReceivedRequest> {
  const isIt = ({ body }: ReceivedRequest): boolean =>
    (JSON.parse(body.toString()) as { type: string }).type === type;
  const [first] = await receiver.waitFor(isIt);
  return first!;
}

/** Deliveries that were ever made; the example flows have theirs of the same events. */
async function countDeliveries(filter: { endpoints: string[]; events?: string[] }): Promise<number> {
  const query =
    'query Made($filter: DeliveryFilter) { deliveries(filter: $filter) { edges { node { id } } } }';
  const { deliveries } = await askProduct<{ deliveries: { edges: unknown[] } }>(product, query, { filter });
  return deliveries.edges.length;
}

describe('the registering call of the vendor’s page', () => {
  it('is answered with what was asked for, an id and the signing secret', () => {
    expect(registered).toMatchObject({
      id: expect.stringMatching(/^ep_/),
      url: receiver.url('/webhooks/mes'),
      events: ['work_order.created', 'work_order.completed'],
      active: true,
      secret: expect.stringMatching(/^whsec_/),
    });
  });
});

describe('the samples of the MES’s page', () => {
  it.each([
    [CREATED, 'work_order.created', 'evt-123'],
    [COMPLETED, 'work_order.completed', 'evt-123abc456'],
  ])('%s goes all the way to a receiver that accepts it', async (name, type, id) => {
    expect(await postSample('mes', name)).toEqual({ status: 200, body: '{"ok":true}' });
    const request = await delivered(type);
    expect(findObjections(request, registered.secret)).toEqual([]);
    expect(request).toMatchObject({
      method: 'POST',
      path: '/webhooks/mes',
      headers: { 'content-type': 'application/json', 'webhook-id': id, 'x-hookline-attempt': '1' },
    });
    // The same content; only the blanks between are gone.
    expect(request.body.toString()).toBe(JSON.stringify(JSON.parse(readSample(name))));
  });

  it('a copy is answered 200 and delivered no second time', async () => {
    expect(await postSample('mes', CREATED)).toEqual({ status: 200, body: '{"ok":true}' });
    expect(await postSample('mes', CREATED)).toEqual({ status: 200, body: '{"ok":true}' });
    await delivered('work_order.created');
    const { event } = await askProduct(product, '{ event(id: "evt-123") { raw } }');
    expect(event.raw).toBe(readSample(CREATED));
    expect(await countDeliveries({ endpoints: [registered.id], events: ['evt-123'] })).toBe(1);
    expect(receiver.requests.filter(({ headers }) => headers['webhook-id'] === 'evt-123')).toHaveLength(1);
  });

  it('a wrong signature is answered as on the page, and nothing is kept', async () => {
    const forged = join(product.dataDir, '..', 'forged.json');
    await runInShell(`sed 's/evt-123/evt-forged/' '${samplePath(CREATED)}' > '${forged}'`);
    const signature = await signWithOpenssl(samplePath(CREATED), MES_SECRET);
    for (const headers of [{ 'x-mes-signature': signature }, {}]) {
      expect(await postWithCurl(`${product.url}/webhooks/mes`, forged, headers)).toEqual({
        status: 401,
        body: '{"error":"Invalid signature"}',
      });
    }
    expect(await askProduct(product, '{ event(id: "evt-forged") { id } }')).toEqual({ event: null });
  });
});

describe('the sample of MachineMetrics’ page', () => {
  it('goes all the way as downtime.categorized, under an id made from its bytes', async () => {
    expect(await postSample('machinemetrics', DOWNTIME)).toEqual({ status: 200, body: '{"ok":true}' });
    const request = await delivered('downtime.categorized');
    expect(findObjections(request, downtimes.secret)).toEqual([]);
    const { event: _event, timestamp, ...data } = JSON.parse(readSample(DOWNTIME)) as Record<string, unknown>;
    const body = JSON.parse(request.body.toString()) as { id: string };
    expect(body).toEqual({ id: expect.any(String), type: 'downtime.categorized', timestamp, data });
    expect(request.headers['webhook-id']).toBe(body.id);
    expect(request.path).toBe('/downtimes');
  });

  it('a copy is answered 200 and delivered no second time', async () => {
    for (const _copy of [1, 2]) {
      expect(await postSample('machinemetrics', DOWNTIME)).toEqual({ status: 200, body: '{"ok":true}' });
    }
    await delivered('downtime.categorized');
    expect(await countDeliveries({ endpoints: [downtimes.id] })).toBe(1);
    expect(receiver.requests.filter(({ path }) => path === '/downtimes')).toHaveLength(1);
  });
});
