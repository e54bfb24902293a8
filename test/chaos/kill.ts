import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '../../gateway/simulate/random.ts';
import { registerEndpoint } from '../end-to-end/support/product-client.ts';
import type { ProductAccess } from '../end-to-end/support/product-client.ts';
import { readAllDeliveries, untilNoneIsOpen } from '../end-to-end/support/stored-deliveries.ts';
import type { StoredDelivery } from '../end-to-end/support/stored-deliveries.ts';
import type { Exit } from '../support/product.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { examineDatabase } from './examine-database.ts';
import { startLife } from './gateway-life.ts';
import type { GatewayLife } from './gateway-life.ts';
import { drawKillMoment } from './kill-moment.ts';
import { openLedger } from './ledger.ts';
import type { Balance, Ledger } from './ledger.ts';
import { startLoader } from './loader.ts';
import { startMoodyReceiver } from './moody-receiver.ts';
import { findSteadyPort } from './steady-port.ts';

export interface KillOptions {
  /** How often the gateway is killed. */
  kills: number;
  /** Of everything that is left to chance here; the moments also depend on the machine. */
  seed: number;
  /** The whole run may take this long. */
  limitMs: number;
}

export interface KillReport {
  balance: Balance;
  /** What GraphQL shows in the end. */
  deliveries: StoredDelivery[];
  /** What the database file says after the end. */
  database: { integrity: string; open: number };
  /** How the last life ended, which was asked to. */
  lastExit: Exit;
  seconds: number;
}

/** Receivers, and what their endpoints subscribe to. */
const SUBSCRIPTIONS: ReadonlyMap<string, string[]> = new Map([
  ['all', ['*']],
  ['orders', ['work_order.*']],
]);

const RETRY_SCHEDULE = ['0s', '200ms', '500ms', ...Array<string>(12).fill('1s')];

/** Deliveries under way at a time, for each endpoint. */
const MAX_CONCURRENCY = 16;

/** A kill repeats at most what was under way: so much. */
export const MOST_REPEATS_PER_KILL: number = MAX_CONCURRENCY * SUBSCRIPTIONS.size;

const CONNECTIONS = 16;

/**
 * Runs `hookline serve` on one data directory under load and kills it with SIGKILL at random moments: while it
 * starts, right after an answer, right after a delivery has arrived. Then lets it finish, and reports.
 *
 * It proves that nothing is acknowledged before it is in the file. That it also is on the disk it cannot prove:
 * what a killed process has written, the system keeps.
 * @throws where the gateway ends by itself or hangs, with its last lines
 */
export async function runKills({ kills, seed, limitMs }: KillOptions): Promise<KillReport> {
  const startedAt = performance.now();
  const random = createRandom(seed);
  await using folder = await makeTempFolder();
  const ledger = openLedger();
  const secrets = new Map<string, string>();
  await using receiver = await startMoodyReceiver({ seed, ledger, secrets });

  const port = await findSteadyPort(random);
  const dataDir = join(folder.path, 'data');
  await mkdir(dataDir, { mode: 0o700 });
  const product: ProductAccess = { url: `http://127.0.0.1:${port}`, adminKey: `sk-${randomKey()}` };
  const sourceSecret = randomKey();
  const begin = (): GatewayLife =>
    startLife(folder.path, {
      HOOKLINE_PORT: String(port),
      HOOKLINE_DATA_DIR: dataDir,
      HOOKLINE_ADMIN_KEY: product.adminKey,
      HOOKLINE_EGRESS_ALLOW: '127.0.0.0/8',
      WEBHOOK_SECRET: sourceSecret,
    });

  let life = begin();
  const deadline = AbortSignal.timeout(limitMs);
  deadline.addEventListener('abort', () => void life.kill('SIGKILL'));
  /** Waits for something that only comes while the gateway lives. */
  const waitFor = async <Value>(what: string, wanted: Promise<Value>): Promise<Value> => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const present = life;
    const fail = (how: string): void =>
      reject(
        new Error(`${how} while the run waited for ${what}.\n${present.lastLines()}\n${summarise(ledger)}`),
      );
    const giveUp = (): void => fail(`${limitMs} ms were over`);
    if (deadline.aborted) giveUp();
    deadline.addEventListener('abort', giveUp);
    void present.ended.then(({ code, signal }) => fail(`The gateway ended by itself (${signal ?? code})`));
    try {
      return await Promise.race([wanted, late]);
    } finally {
      deadline.removeEventListener('abort', giveUp);
      late.catch(() => {});
    }
  };

  try {
    const startMs = Math.ceil(await waitFor('the first start', life.ready));
    for (const [name, events] of SUBSCRIPTIONS) {
      const { secret } = await registerEndpoint(product, {
        url: receiver.url(`/${name}`),
        events,
        retrySchedule: RETRY_SCHEDULE,
        maxConcurrency: MAX_CONCURRENCY,
      });
      secrets.set(name, secret);
    }
    using loader = startLoader({
      port,
      secret: sourceSecret,
      connections: CONNECTIONS,
      random,
      ledger,
      makeEvent: (n) => makeEvent(n, seed),
    });
    for (let kill = 1; kill <= kills; kill++) {
      const moment = drawKillMoment(random, startMs, ledger);
      await waitFor(`kill ${kill} of ${kills}, ${moment.what}`, moment.come());
      await life.kill('SIGKILL');
      life = begin();
    }
    await waitFor('the last start', life.ready);
    await waitFor('more answers after it', ledger.afterAnswers(CONNECTIONS));
    await waitFor('the end of the load', loader.stop());
    await waitFor('the end of the open deliveries', untilNoneIsOpen(product));
    const deliveries = await waitFor('the list of deliveries', readAllDeliveries(product));
    const lastExit = await life.kill('SIGTERM');
    const database = examineDatabase(join(dataDir, 'hookline.db'));
    const seconds = (performance.now() - startedAt) / 1000;
    return { balance: ledger.balance(), deliveries, database, lastExit, seconds };
  } finally {
    await life[Symbol.asyncDispose]();
  }
}

/** Every third event is none of a work order, so that one receiver is owed less than the other. */
function makeEvent(n: number, seed: number): { id: string; body: string; owedTo: string[] } {
  const isOrder = n % 3 !== 0;
  const id = `evt-${seed}-${n}`;
  const data = isOrder
    ? { workOrder: { id: `wo-${n}`, orderNumber: `WO-${n}`, status: 'COMPLETED', completedQuantity: n } }
    : { operation: { id: `op-${n}`, workOrderId: `wo-${n}`, actualDuration: n } };
  const type = isOrder ? 'work_order.completed' : 'operation.completed';
  const body = JSON.stringify({ id, type, timestamp: '2026-01-15T14:30:00Z', data });
  return { id, body, owedTo: isOrder ? ['all', 'orders'] : ['all'] };
}

function summarise(ledger: Ledger): string {
  const { missing, faults, ...counts } = ledger.balance();
  return JSON.stringify({ ...counts, missing: missing.slice(0, 10), missingCount: missing.length, faults });
}

function randomKey(): string {
  return randomBytes(24).toString('hex');
}
