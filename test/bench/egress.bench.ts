/**
 * What post() costs beside a bare Pool.dispatch: CPU time of this process per request, both to the same
 * receiver in a process of its own, in interleaved rounds with the order reversed each time.
 *
 * node test/bench/egress.bench.ts [requests per round] [rounds]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { systemClock } from '../../gateway/clock.ts';
import { createEgress } from '../../gateway/egress/post.ts';

const IN_FLIGHT = 32;
const BODY = JSON.stringify({ id: 'evt-1', type: 'work_order.created', data: { text: 'x'.repeat(900) } });

if (process.argv[2] === 'sink') await sink();
else await compare(Number(process.argv[2] ?? 20_000), Number(process.argv[3] ?? 6));

async function sink(): Promise<void> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{"ok":true}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send!((server.address() as AddressInfo).port);
  process.on('disconnect', () => process.exit());
}

async function compare(requests: number, rounds: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['sink']);
  const [port] = (await once(child, 'message')) as [number];
  const origin = `http://127.0.0.1:${port}`;
  const pool = new Pool(origin, {
    connections: 64,
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const egress = createEgress({ allow: ['127.0.0.0/8'], clock: systemClock });

  const bare = (headers: Record<string, string>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      pool.dispatch(
        { path: '/hook', method: 'POST', headers, body: BODY },
        {
          onRequestStart: () => undefined,
          onResponseStart: () => undefined,
          onResponseData: (_controller, chunk) => void chunks.push(chunk),
          onResponseEnd: () => resolve(chunks),
          onResponseError: (_controller, error) => reject(error),
        },
      );
    });
  const post = (headers: Record<string, string>): Promise<unknown> =>
    egress.post({ url: `${origin}/hook`, headers, body: BODY, timeoutMs: 15_000, maxResponseBytes: 4096 });

  const ways = { bare, post };
  const costs: Record<keyof typeof ways, number[]> = { bare: [], post: [] };
  for (const way of [bare, post]) await run(way, requests);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (['bare', 'post'] as const) : (['post', 'bare'] as const);
    for (const name of order) costs[name].push(await run(ways[name], requests));
  }
  const [bareCost, postCost] = [median(costs.bare), median(costs.post)];
  console.log(`Pool.dispatch ${bareCost.toFixed(1)} us CPU per request`);
  console.log(`post()        ${postCost.toFixed(1)} us CPU per request`);
  console.log(`ratio         ${(postCost / bareCost).toFixed(2)}`);
  await Promise.all([egress.close(), pool.destroy()]);
  child.disconnect();
}

/** @returns CPU microseconds per request */
async function run(
  send: (headers: Record<string, string>) => Promise<unknown>,
  requests: number,
): Promise<number> {
  let left = requests;
  const before = process.cpuUsage();
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      await send({
        'content-type': 'application/json',
        'user-agent': 'Hookline',
        'webhook-id': `evt-${left}`,
        'webhook-timestamp': '1767225600',
        'webhook-signature': 'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
        'x-mes-signature': '5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd',
      });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / requests;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
