import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../../gateway/clock.ts';
import { envelopeBody } from '../../gateway/events/event.ts';
import { openRedisStore } from '../../gateway/store/redis/redis-store.ts';
import { openSqliteStore } from '../../gateway/store/sqlite/sqlite-store.ts';
import type { Lease, NewEvent, Settlement, Store } from '../../gateway/store/store.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

/**
 * One store in a process of its own: appends with many clients' worth of concurrency, settles each lease as it comes.
 * Says when it is warm, begins when it is told to, and answers with its figures.
 * Arguments: `sqlite` or the URL of a Redis, events, deliveries for each.
 */
export interface StoreFigures {
  perSecond: number;
  /** CPU of the process and its threads for each delivery. */
  cpuUs: number;
  ackP50Ms: number;
  ackP99Ms: number;
}

const [where = '', events = '', fanOut = ''] = process.argv.slice(2);
const EVENTS = Number(events);
const FAN_OUT = Number(fanOut);
const WARM_UP = 2_000;
const ENDPOINTS = 20;
const APPENDERS = 64;
const TYPES = ['work_order.created', 'operation.started', 'machine.alarm'];
const FILL = 'x'.repeat(850);

function makeEvent(id: string, n: number): NewEvent {
  const now = systemClock.now();
  const type = TYPES[n % TYPES.length]!;
  const timestamp = new Date(now).toISOString();
  return {
    event: {
      id,
      source: 'mes',
      type,
      occurredAt: now,
      receivedAt: now,
      machine: { id: `m${n % 50}` },
      test: false,
      hops: 0,
      body: envelopeBody({ id, type, timestamp, data: { workOrder: FILL } }),
      raw: null,
      verifiedLeniently: false,
    },
    deliveries: Array.from({ length: FAN_OUT }, (_, k) => ({
      endpointId: `ep_${(n + k) % ENDPOINTS}`,
      pool: 'push',
      dueAt: now,
      orderKey: null,
      status: 'PENDING',
      reason: null,
      context: null,
    })),
  };
}

function settlementOf({ deliveryId, token, step }: Lease): Settlement {
  return {
    deliveryId,
    token,
    attempt: {
      startedAt: systemClock.now(),
      durationMs: 1.5,
      outcome: 'SUCCESS',
      statusCode: 200,
      requestHeaders: '{"content-type":"application/json","webhook-id":"evt-1"}',
      requestBody: null,
      responseHeaders: '{"content-length":"2"}',
      responseBody: 'ok',
      error: null,
    },
    status: 'SUCCEEDED',
    dueAt: null,
    step: step + 1,
    reason: null,
    sign: { kind: 'success', restMs: null },
    causes: [],
  };
}

/** Resolves when this many deliveries are recorded. */
async function deliver(store: Store, count: number): Promise<void> {
  const stop = new AbortController();
  const claim = { pool: 'push', worker: 'bench', maxInFlight: 512, leaseMs: 60_000, signal: stop.signal };
  let left = count;
  for await (const leases of store.claim(claim)) {
    for (const lease of leases) {
      void store.record([settlementOf(lease)]).then(() => {
        left--;
        if (left === 0) stop.abort();
      });
    }
  }
}

async function appendAll(store: Store, run: string, count: number): Promise<number[]> {
  const ackMs: number[] = [];
  let next = 0;
  const append = async (): Promise<void> => {
    while (next < count) {
      const n = next++;
      const startedAt = performance.now();
      await store.append([makeEvent(`evt-${run}-${n}`, n)]);
      ackMs.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: APPENDERS }, append));
  return ackMs.sort((a, b) => a - b);
}

async function runAll(store: Store, run: string, count: number): Promise<number[]> {
  const delivered = deliver(store, count * FAN_OUT);
  const ackMs = await appendAll(store, run, count);
  await delivered;
  return ackMs;
}

await using folder = await makeTempFolder();
const store =
  where === 'sqlite'
    ? await openSqliteStore({ path: join(folder.path, 'hookline.db'), clock: systemClock })
    : await openRedisStore({ url: where, clock: systemClock, serverTime: true, log: console });
const lanes = Array.from({ length: ENDPOINTS }, (_, n) => ({ endpointId: `ep_${n}`, held: false }));
await store.setLanes(lanes.map((lane) => ({ ...lane, maxConcurrency: 512 })));
await runAll(store, 'warm', WARM_UP);
process.send!('warm');
await once(process, 'message');
const cpu = process.cpuUsage();
const startedAt = performance.now();
const ackMs = await runAll(store, 'run', EVENTS);
const seconds = (performance.now() - startedAt) / 1000;
const used = process.cpuUsage(cpu);
process.send!({
  perSecond: (EVENTS * FAN_OUT) / seconds,
  cpuUs: (used.user + used.system) / (EVENTS * FAN_OUT),
  ackP50Ms: ackMs[Math.floor(ackMs.length * 0.5)]!,
  ackP99Ms: ackMs[Math.floor(ackMs.length * 0.99)]!,
} satisfies StoreFigures);
await once(process, 'disconnect');
await store.close();
