import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { flood } from './support/flood.ts';
import type { FloodResult } from './support/flood.ts';
import { askProduct, postToMes } from './support/product-client.ts';

const MES_SECRET = 'the secret of the MES in this test';
const SLOW_MS = 60_000;

const CONNECTIONS = 800;
const REQUESTS = 4000;
const BODY_BYTES = 100_000;

/** So many refusals are waited for: half of the flood is then behind it. */
const REFUSALS = 2000;

/**
 * What the gateway may hold at most, the process itself and all copies included. It takes 64 MiB of bodies at a time;
 * the whole flood has 400 MB.
 */
const MOST_RESIDENT_MB = 1200;

let product: Product;
let result: FloodResult;
let peakMb: number;

beforeAll(async () => {
  product = await startProduct({ command: 'serve', env: { WEBHOOK_SECRET: MES_SECRET } });
  // Somebody else has the database for a while, a backup for example: nothing can be stored as long as that takes.
  const database = new DatabaseSync(join(product.dataDir, 'hookline.db'));
  database.exec('BEGIN IMMEDIATE');
  let refusals = 0;
  result = await flood({
    url: product.url,
    secret: MES_SECRET,
    connections: CONNECTIONS,
    requests: REQUESTS,
    bodyBytes: BODY_BYTES,
    onRefused: () => {
      refusals += 1;
      if (refusals === REFUSALS) database.exec('ROLLBACK');
    },
  });
  database.close();
  peakMb = readPeakResidentMb(product.pid);
}, SLOW_MS);

afterAll(() => product[Symbol.asyncDispose]());

describe('a flood that comes faster than it can be stored', () => {
  it('is answered with 200, or with 503 and a Retry-After; no connection breaks', () => {
    expect(result.others).toEqual([]);
    expect(result.refused).toBeGreaterThanOrEqual(REFUSALS);
    expect(result.accepted.length + result.refused).toBe(REQUESTS);
  });

  it('loses nothing that was answered 200', async () => {
    const stored = new Set(await readEventIds());
    expect(result.accepted.length).toBeGreaterThan(0);
    expect(result.accepted.filter((id) => !stored.has(id))).toEqual([]);
  });

  it('does not make the gateway grow', () => {
    expect(peakMb).toBeLessThan(MOST_RESIDENT_MB);
  });

  it('is over when it is over', async () => {
    const event = { id: 'evt-after', type: 'work_order.created', data: {} };
    expect(await postToMes(product.url, MES_SECRET, JSON.stringify(event))).toBe(200);
  });
});

async function readEventIds(): Promise<string[]> {
  const ids: string[] = [];
  const query = `query Ids($after: String) {
    events(first: 500, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } }
  }`;
  let after: string | null = null;
  for (;;) {
    const { events }: EventPage = await askProduct<EventPage>(product, query, { after });
    ids.push(...events.edges.map(({ node }) => node.id));
    if (!events.pageInfo.hasNextPage) return ids;
    after = events.pageInfo.endCursor;
  }
}

interface EventPage {
  events: {
    edges: { node: { id: string } }[];
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
}

/** The most memory that the process ever had, as the system counts it. */
function readPeakResidentMb(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kilobytes) / 1024;
}
