import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../gateway/clock.ts';
import { openSqliteStore } from '../../gateway/store/sqlite/sqlite-store.ts';
import { SqliteWriter } from '../../gateway/store/sqlite/sqlite-writer.ts';
import { makeAttempt, makeEvent, owe } from '../support/store-fixtures.ts';

/**
 * What a large store costs: pages of the log, start-up, and memory with a backlog, each beside a small one.
 * Usage: node test/bench/store-scale.bench.ts [large=1000000] [small=10000]
 */
const LARGE = Number(process.argv[2] ?? 1_000_000);
const SMALL = Number(process.argv[3] ?? 10_000);
const TYPES = ['work_order.created', 'work_order.completed', 'operation.started', 'quality.ncr_created'];
const ENDPOINTS = 20;
const BATCH = 1000;

interface Row {
  fillPerSecond: number;
  fileMb: number;
  startMs: number;
  pageP50: Record<string, number>;
  pageP99: Record<string, number>;
}

function fill(path: string, count: number, settle: boolean): number {
  const writer = new SqliteWriter(path);
  const startedAt = performance.now();
  const clock = { now: () => Date.now() };
  const empty = { wantJournal: false, appends: [], settlements: [], tasks: [] };
  writer.run({
    ...empty,
    now: Date.now(),
    tasks: settle
      ? [{ kind: 'open-claim', claim: { id: 1, pool: 'push', maxInFlight: BATCH * 2, leaseMs: 60_000 } }]
      : [],
  });
  const lanes = Array.from({ length: ENDPOINTS }, (_, n) => ({
    endpointId: `ep_${n}`,
    held: false,
    maxConcurrency: BATCH * 2,
  }));
  writer.run({ ...empty, now: Date.now(), tasks: [{ kind: 'set-lanes', lanes }] });
  for (let done = 0; done < count; done += BATCH) {
    const now = Date.now();
    const appends = Array.from({ length: BATCH }, (_, n) => {
      const event = makeEvent(clock, {
        id: `evt-${done + n}`,
        type: TYPES[(done + n) % TYPES.length]!,
        data: { filler: 'x'.repeat(200) },
      });
      return { event, deliveries: [owe(clock, `ep_${(done + n) % ENDPOINTS}`)] };
    });
    const { grants } = writer.run({ ...empty, now, appends });
    const settlements = grants.map(({ seq, token }, n) => ({
      deliveryId: `dlv_${seq.toString(36).padStart(8, '0')}`,
      token,
      attempt: makeAttempt(clock),
      status: n % 100 === 0 ? ('EXHAUSTED' as const) : ('SUCCEEDED' as const),
      dueAt: null,
      step: 1,
      reason: null,
      sign: { kind: 'success' as const, restMs: null },
      causes: [],
    }));
    if (settlements.length > 0) writer.run({ ...empty, now, settlements });
    if (done % (BATCH * 50) === 0) writer.checkpoint();
  }
  writer.close();
  return count / ((performance.now() - startedAt) / 1000);
}

async function measure(count: number): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'hookline-scale-'));
  const path = join(folder, 'hookline.db');
  const fillPerSecond = fill(path, count, true);
  const startedAt = performance.now();
  const store = await openSqliteStore({ path, clock: systemClock });
  const startMs = performance.now() - startedAt;
  const queries = {
    'no filter': {},
    endpoint: { endpointIds: ['ep_3'] },
    type: { types: ['quality.ncr_created'] },
    'endpoint and type': { endpointIds: ['ep_3'], types: ['quality.*'] },
    'not succeeded': { statuses: ['EXHAUSTED' as const] },
    'last hour, endpoint': { endpointIds: ['ep_3'], since: Date.now() - 3_600_000 },
  };
  const pageP50: Record<string, number> = {};
  const pageP99: Record<string, number> = {};
  for (const [name, where] of Object.entries(queries)) {
    const times: number[] = [];
    let after: string | null = null;
    for (let n = 0; n < 200; n++) {
      const before = performance.now();
      const page: Awaited<ReturnType<typeof store.reader.deliveries>> = await store.reader.deliveries({
        where,
        limit: 50,
        order: 'newest',
        after,
      });
      times.push(performance.now() - before);
      after = page.hasMore ? page.rows.at(-1)!.cursor : null;
    }
    times.sort((a, b) => a - b);
    pageP50[name] = times[100]!;
    pageP99[name] = times[197]!;
  }
  await store.close();
  const fileMb = statSync(path).size / 1e6;
  rmSync(folder, { recursive: true });
  return { fillPerSecond, fileMb, startMs, pageP50, pageP99 };
}

/** Resident memory of a store with this many due deliveries, a worker working on them that never finishes. */
async function backlogMemory(count: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'hookline-scale-'));
  const path = join(folder, 'hookline.db');
  fill(path, count, false);
  const store = await openSqliteStore({ path, clock: systemClock });
  const abort = new AbortController();
  const leases = store.claim({
    pool: 'push',
    worker: 'bench',
    maxInFlight: 512,
    leaseMs: 60_000,
    signal: abort.signal,
  });
  for await (const batch of leases) if (batch.length > 0) break;
  globalThis.gc?.();
  const rss = process.memoryUsage.rss() / 1e6;
  await store.close();
  rmSync(folder, { recursive: true });
  return rss;
}

if (process.argv[4] === 'memory') {
  console.log(await backlogMemory(LARGE));
} else {
  const small = await measure(SMALL);
  const large = await measure(LARGE);
  const show = (name: string, pick: (row: Row) => number): Record<string, string> => ({
    what: name,
    small: pick(small).toFixed(2),
    large: pick(large).toFixed(2),
    ratio: (pick(large) / pick(small)).toFixed(2),
  });
  console.table([
    show('filled, events/s', (row) => row.fillPerSecond),
    show('file, MB', (row) => row.fileMb),
    show('start-up, ms', (row) => row.startMs),
    ...Object.keys(large.pageP50).map((name) =>
      show(`page of 50, ${name}, p50 ms`, (row) => row.pageP50[name]!),
    ),
    ...Object.keys(large.pageP99).map((name) =>
      show(`page of 50, ${name}, p99 ms`, (row) => row.pageP99[name]!),
    ),
  ]);
}
