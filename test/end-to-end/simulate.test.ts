import { afterAll, beforeAll, expect, it } from 'vitest';
import { startReceiver } from '../support/http-receiver.ts';
import type { ReceivedRequest, Receiver } from '../support/http-receiver.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { runCli } from '../support/run-cli.ts';
import { askProduct, registerEndpoint } from './support/product-client.ts';
import { findObjections } from './support/receiver-check.ts';

const COUNT = 150;

let product: Product;
let receiver: Receiver;
let secret: string;
/** All deliveries of the played floor, oldest first. */
let requests: ReceivedRequest[];

beforeAll(async () => {
  receiver = await startReceiver();
  product = await startProduct({ command: 'serve', env: { HOOKLINE_EGRESS_ALLOW: '127.0.0.0/8' } });
  ({ secret } = await registerEndpoint(product, { url: receiver.url('/floor'), events: ['*'] }));
  const args = ['simulate', '--count', String(COUNT), '--speed', '1000000', '--seed', '7', '--json'];
  const played = await runCli(args, { cwd: product.dataDir, env: { HOOKLINE_DATA_DIR: product.dataDir } });
  expect(played.stderr).toBe(`Played seed 7: ${COUNT} events, ${COUNT} accepted.\n`);
  expect(played.code).toBe(0);
  requests = await receiver.waitFor(COUNT);
});

afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

function typeOf({ body }: ReceivedRequest): string {
  return (JSON.parse(body.toString()) as { type: string }).type;
}

it('a played shop floor reaches a receiver with events of every catalogued type', async () => {
  const { eventTypes } = await askProduct<{ eventTypes: { name: string }[] }>(
    product,
    '{ eventTypes { name } }',
  );
  const expected = eventTypes.map(({ name }) => name).filter((name) => !name.startsWith('hookline.'));
  expect(expected.length).toBeGreaterThan(10);
  expect([...new Set(requests.map(typeOf))].toSorted()).toEqual(expected.toSorted());
});

it('every one of its deliveries is signed right, by both schemes', () => {
  for (const request of requests) expect(findObjections(request, secret)).toEqual([]);
});

it('every one of its events arrives once', () => {
  expect(new Set(requests.map(({ headers }) => headers['webhook-id'])).size).toBe(COUNT);
  expect(requests).toHaveLength(COUNT);
});
