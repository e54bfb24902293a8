import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecretBox } from '../../gateway/access/secret-box.ts';
import type { Connector } from '../../gateway/connectors/connector.ts';
import { createEndpointRegistry, type EndpointRegistry } from '../../gateway/delivery/endpoints.ts';
import { createEventService } from '../../gateway/delivery/event-intake.ts';
import { createFlowService } from '../../gateway/delivery/flow-work.ts';
import { createOperationalEvents } from '../../gateway/delivery/operational-events.ts';
import { createDeliveryService } from '../../gateway/delivery/outbox.ts';
import { createSubscriptions, type Evaluate } from '../../gateway/delivery/subscriptions.ts';
import { DEFAULT_SCHEDULE } from '../../gateway/delivery/retry-policy.ts';
import { startWorker } from '../../gateway/delivery/worker.ts';
import type { DeliveryService, EventService, FlowService } from '../../gateway/services.ts';
import type { JournalEntry } from '../../gateway/store/journal.ts';
import { openStore } from '../../gateway/store/open-store.ts';
import type { RecordStore } from '../../gateway/store/records.ts';
import type { Lease, NewAttempt, Store } from '../../gateway/store/store.ts';
import type { DeliveryRow } from '../../gateway/store/store-reader.ts';
import { ManualClock } from './manual-clock.ts';
import { makeAttempt } from './store-fixtures.ts';

/** What the far end answers to an attempt: a status, or an outcome of its own. */
export type FarEnd = (lease: Lease) => Partial<NewAttempt> & { retryAfterMs?: number };

/** The delivery engine on a real store, with time and the far end of the network in the test's hand. */
export interface DeliveryHarness extends AsyncDisposable {
  clock: ManualClock;
  store: Store & RecordStore;
  endpoints: EndpointRegistry;
  events: EventService;
  deliveries: DeliveryService;
  flows: FlowService;
  /** Every attempt made so far. */
  attempts: Lease[];
  farEnd: FarEnd;
  /** What users' expressions say. */
  evaluate: Evaluate;
  log: { fields: Record<string, unknown>; message: string }[];
  /** The next change of a delivery that fits. */
  waitForDelivery(fits: (row: DeliveryRow) => boolean): Promise<DeliveryRow>;
  createEndpoint(input?: Parameters<EndpointRegistry['create']>[0]): Promise<string>;
}

export async function startDelivery(): Promise<DeliveryHarness> {
  const clock = new ManualClock();
  const directory = await mkdtemp(join(tmpdir(), 'hookline-delivery-'));
  const store = await openStore(`sqlite:${join(directory, 'hookline.db')}`, clock);
  const endpoints = await createEndpointRegistry({
    records: store,
    secretBox: createSecretBox(randomBytes(32).toString('base64'), randomBytes),
    vet: (url) => Promise.resolve({ kind: 'network', url: new URL(url), addresses: ['192.0.2.1'] }),
    hasBin: () => true,
    checkExpression: () => null,
    clock,
    random: randomBytes,
  });
  endpoints.onLanes((lanes) => void store.setLanes(lanes));
  const attempts: Lease[] = [];
  const log: DeliveryHarness['log'] = [];
  const connector: Connector = {
    send(lease) {
      attempts.push(lease);
      const { retryAfterMs = null, ...attempt } = harness.farEnd(lease);
      return Promise.resolve({ kind: 'attempted', attempt: makeAttempt(clock, attempt), retryAfterMs });
    },
  };
  const subscriptions = createSubscriptions({
    endpoints,
    schedule: DEFAULT_SCHEDULE,
    evaluate: (source, input) => harness.evaluate(source, input),
  });
  const record = (fields: Record<string, unknown>, message: string): void =>
    void log.push({ fields, message });
  const randomText = (): string => randomBytes(12).toString('hex');
  const logger = { info: record, warn: record, error: record };
  const operational = createOperationalEvents({ store, subscriptions, clock, randomText, log: logger });
  const shared = {
    store,
    endpoints,
    subscriptions,
    operational,
    schedule: DEFAULT_SCHEDULE,
    clock,
    random: () => 0,
    randomText,
    maxBodyBytes: 1024 * 1024,
  };
  const worker = startWorker({
    ...shared,
    connectors: { WEBHOOK: connector },
    log: logger,
  });
  const seen: DeliveryRow[] = [];
  const waiting = new Set<(row: DeliveryRow) => void>();
  const abort = new AbortController();
  void follow(store.tail(null, abort.signal), (row) => {
    seen.push(row);
    for (const check of waiting) check(row);
  });

  const harness: DeliveryHarness = {
    clock,
    store,
    endpoints,
    events: createEventService(shared),
    deliveries: createDeliveryService(shared),
    flows: createFlowService(shared),
    attempts,
    farEnd: () => ({}),
    evaluate: () => ({ ok: true, value: true }),
    log,
    waitForDelivery(fits) {
      const already = seen.findLast(fits);
      if (already) return Promise.resolve(already);
      return new Promise((resolve) => {
        const check = (row: DeliveryRow): void => {
          if (!fits(row)) return;
          waiting.delete(check);
          resolve(row);
        };
        waiting.add(check);
      });
    },
    async createEndpoint(input = {}) {
      const { endpoint } = await endpoints.create({
        url: 'https://receiver.example/hook',
        events: ['*'],
        ...input,
      });
      return endpoint.id;
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
      await worker.close();
      await endpoints[Symbol.asyncDispose]();
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
  return harness;
}

async function follow(
  tail: AsyncIterable<readonly JournalEntry[]>,
  onDelivery: (row: DeliveryRow) => void,
): Promise<void> {
  for await (const entries of tail) {
    for (const entry of entries) if (entry.kind === 'delivery') onDelivery(entry.delivery);
  }
}
