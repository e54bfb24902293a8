import { envelopeBody, type Event } from '../../gateway/events/event.ts';
import type {
  Claim,
  Lease,
  NewAttempt,
  NewDelivery,
  NewEvent,
  Settlement,
  Store,
} from '../../gateway/store/store.ts';
import type { ManualClock } from './manual-clock.ts';

let made = 0;

export function makeEvent(
  clock: { now(): number },
  overrides: Partial<Event> & { data?: unknown } = {},
): Event {
  const { data = { workOrder: { id: 'wo-123' } }, ...rest } = overrides;
  const id = rest.id ?? `evt-${++made}`;
  const type = rest.type ?? 'work_order.created';
  const occurredAt = rest.occurredAt ?? clock.now();
  return {
    id,
    source: 'mes',
    type,
    occurredAt,
    receivedAt: clock.now(),
    machine: null,
    test: false,
    hops: 0,
    body: envelopeBody({ id, type, timestamp: new Date(occurredAt).toISOString(), data }),
    raw: null,
    verifiedLeniently: false,
    ...rest,
  };
}

export function owe(
  clock: { now(): number },
  endpointId: string,
  overrides: Partial<NewDelivery> = {},
): NewDelivery {
  return {
    endpointId,
    pool: 'push',
    dueAt: clock.now(),
    orderKey: null,
    status: 'PENDING',
    reason: null,
    context: null,
    ...overrides,
  };
}

export function newEvent(event: Event, ...deliveries: NewDelivery[]): NewEvent {
  return { event, deliveries };
}

export function makeAttempt(clock: { now(): number }, overrides: Partial<NewAttempt> = {}): NewAttempt {
  return {
    startedAt: clock.now(),
    durationMs: 12.5,
    outcome: 'SUCCESS',
    statusCode: 200,
    requestHeaders: '{"x-test":"1"}',
    requestBody: null,
    responseHeaders: '{}',
    responseBody: 'ok',
    error: null,
    ...overrides,
  };
}

export function succeed(clock: ManualClock, lease: Lease): Settlement {
  return {
    deliveryId: lease.deliveryId,
    token: lease.token,
    attempt: makeAttempt(clock),
    status: 'SUCCEEDED',
    dueAt: null,
    step: lease.step + 1,
    reason: null,
    causes: [],
  };
}

export function failUntil(clock: ManualClock, lease: Lease, dueAt: number): Settlement {
  return {
    ...succeed(clock, lease),
    attempt: makeAttempt(clock, { outcome: 'HTTP_STATUS', statusCode: 500 }),
    status: 'RETRYING',
    dueAt,
    reason: 'http_500',
  };
}

/** A worker's view of `claim`: leases one by one, and whether more are there. */
export class TestWorker {
  readonly #iterator: AsyncIterator<readonly Lease[]>;
  readonly #ready: Lease[] = [];
  readonly stop: () => Promise<void>;

  constructor(store: Store, claim: Partial<Claim> = {}) {
    const abort = new AbortController();
    const iterable = store.claim({
      pool: 'push',
      worker: 'test',
      maxInFlight: 64,
      leaseMs: 60_000,
      signal: abort.signal,
      ...claim,
    });
    this.#iterator = iterable[Symbol.asyncIterator]();
    this.stop = async () => {
      abort.abort();
      await this.#iterator.return?.();
    };
  }

  async next(): Promise<Lease> {
    while (this.#ready.length === 0) {
      const { done, value } = await this.#iterator.next();
      if (done) throw new Error('the claim has ended');
      this.#ready.push(...value);
    }
    return this.#ready.shift()!;
  }

  async take(count: number): Promise<Lease[]> {
    const leases: Lease[] = [];
    while (leases.length < count) leases.push(await this.next());
    return leases;
  }
}
