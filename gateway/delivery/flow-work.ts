import type { Clock } from '../clock.ts';
import { badInput, HooklineError } from '../errors.ts';
import type { FlowService, WorkConnection, WorkLease } from '../services.ts';
import type { Lease, NewAttempt, Store } from '../store/store.ts';
import type { EndpointRegistry } from './endpoints.ts';
import { settleLease } from './settle-lease.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface FlowWorkOptions {
  store: Store;
  endpoints: Pick<EndpointRegistry, 'runtime' | 'declare'>;
  subscriptions: Pick<Subscriptions, 'oweOne'>;
  /** The installation's schedule, ms. */
  schedule: readonly number[];
  clock: Clock;
  /** From 0 up to 1. */
  random: () => number;
}

/** Leases of a flow last this long and are renewed while its connection lives. */
const LEASE_MS = 60_000;
const RENEW_EVERY_MS = 20_000;
const BACKFILL_PAGE = 500;

interface HeldWork {
  lease: Lease;
  startedAt: number;
}

/** Work for flows: their events are deliveries, leased over a connection and settled by the flow. */
export function createFlowService(options: FlowWorkOptions): FlowService {
  const { store, endpoints, clock } = options;
  /** All work that is out, by lease token. */
  const held = new Map<number, HeldWork>();

  const end = async (
    work: HeldWork,
    outcome: 'SUCCESS' | 'FLOW_ERROR' | 'UNKNOWN',
    error: NewAttempt['error'],
  ): Promise<void> => {
    const { lease, startedAt } = work;
    const runtime = endpoints.runtime(lease.endpointId);
    const now = clock.now();
    const settlement = settleLease({
      lease,
      endpoint: runtime?.endpoint ?? null,
      schedule: runtime?.schedule ?? options.schedule,
      attempt: flowAttempt(startedAt, now, outcome, error),
      retryAfterMs: null,
      now,
      random: options.random(),
    });
    await store.record([settlement]);
  };

  return {
    async apply({ owner, endpoints: inputs }) {
      const applied = await endpoints.declare(owner, inputs);
      for (const [index, { endpoint, created }] of applied.entries()) {
        const startFrom = inputs[index]?.startFrom ?? 'NOW';
        if (created && endpoint.kind === 'FLOW' && startFrom !== 'NOW') {
          await owePast(options, endpoint.id, startFrom === 'OLDEST' ? undefined : startFrom);
        }
      }
      return applied;
    },

    work(endpointId, prefetch, connection) {
      const runtime = endpoints.runtime(endpointId);
      if (!runtime || runtime.endpoint.retiredAt !== null) {
        throw new HooklineError(
          'NOT_FOUND',
          `There is no flow endpoint "${endpointId.slice(0, 60)}"; deploy the flow again.`,
        );
      }
      if (runtime.endpoint.kind !== 'FLOW')
        throw badInput('consumer', `"${endpointId}" is no flow endpoint.`);
      return new WorkStream({ store, clock, held, end }, endpointId, prefetch, connection);
    },

    async settle(items) {
      await Promise.all(
        items.map(async ({ deliveryId, token, outcome, error }) => {
          const work = held.get(token);
          // Not held any more: somebody else has it again, and says what became of it.
          if (work?.lease.deliveryId !== deliveryId) return;
          held.delete(token);
          await end(work, outcome === 'SUCCEEDED' ? 'SUCCESS' : 'FLOW_ERROR', error ?? null);
        }),
      );
      const rows = await store.reader.deliveriesById(items.map(({ deliveryId }) => deliveryId));
      return rows.map((row, index) => row ?? missing(items[index]!.deliveryId));
    },
  };
}

interface WorkDeps {
  store: Store;
  clock: Clock;
  held: Map<number, HeldWork>;
  end(work: HeldWork, outcome: 'UNKNOWN', error: NewAttempt['error']): Promise<void>;
}

/** The work of one connection: renewed while it lives, handed back when it ends. */
class WorkStream implements AsyncIterableIterator<readonly WorkLease[]> {
  readonly #deps: WorkDeps;
  readonly #connection: WorkConnection;
  readonly #leases: AsyncIterator<readonly Lease[]>;
  readonly #tokens = new Set<number>();
  #cancelRenewal = (): void => {};
  #ended: Promise<void> | null = null;

  constructor(deps: WorkDeps, endpointId: string, prefetch: number, connection: WorkConnection) {
    this.#deps = deps;
    this.#connection = connection;
    const never = new AbortController().signal;
    this.#leases = deps.store
      .claim({
        pool: endpointId,
        worker: `flow ${endpointId}`,
        maxInFlight: prefetch,
        leaseMs: LEASE_MS,
        signal: never,
      })
      [Symbol.asyncIterator]();
    if (connection.signal.aborted) void this.return();
    else connection.signal.addEventListener('abort', () => void this.return(), { once: true });
    this.#renewLater();
  }

  async next(): Promise<IteratorResult<readonly WorkLease[]>> {
    const { done, value } = await this.#leases.next();
    if (done) return { done: true, value: undefined };
    const startedAt = this.#deps.clock.now();
    for (const lease of value) {
      this.#deps.held.set(lease.token, { lease, startedAt });
      this.#tokens.add(lease.token);
    }
    return { done: false, value: value.map(toWork) };
  }

  async return(): Promise<IteratorResult<readonly WorkLease[]>> {
    this.#ended ??= this.#end();
    await this.#ended;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #end(): Promise<void> {
    this.#cancelRenewal();
    const open = this.#takeHeld();
    if (this.#connection.wasLost()) {
      // It may have died of this very work: counted as an attempt, so that it comes back later and later.
      await Promise.all(open.map((work) => this.#deps.end(work, 'UNKNOWN', CONSUMER_LOST)));
    }
    await this.#leases.return?.();
  }

  #takeHeld(): HeldWork[] {
    const open: HeldWork[] = [];
    for (const token of this.#tokens) {
      const work = this.#deps.held.get(token);
      if (work) open.push(work);
      this.#deps.held.delete(token);
    }
    this.#tokens.clear();
    return open;
  }

  #renewLater(): void {
    const { store, clock, held } = this.#deps;
    this.#cancelRenewal = clock.wakeAt(clock.now() + RENEW_EVERY_MS, () => {
      for (const token of this.#tokens) if (!held.has(token)) this.#tokens.delete(token);
      const leases = [...this.#tokens].map((token) => held.get(token)!.lease);
      if (leases.length > 0) store.renew(leases, LEASE_MS).catch(() => {});
      if (!this.#ended) this.#renewLater();
    });
  }
}

const CONSUMER_LOST = {
  code: 'CONSUMER_LOST',
  message: 'The connection to the flow was lost before it said what became of it.',
};

function toWork(lease: Lease): WorkLease {
  const { deliveryId, token, attemptNumber, expiresAt, event, context } = lease;
  return { deliveryId, token, attemptNumber, expiresAt, event, context };
}

function flowAttempt(
  startedAt: number,
  now: number,
  outcome: NewAttempt['outcome'],
  error: NewAttempt['error'],
): NewAttempt {
  return {
    startedAt,
    durationMs: now - startedAt,
    outcome,
    statusCode: null,
    requestHeaders: null,
    requestBody: null,
    responseHeaders: null,
    responseBody: null,
    error: error && { code: error.code.slice(0, 100), message: error.message.slice(0, 2000) },
  };
}

/** Queues what is stored already, for a flow that starts in the past. */
async function owePast(
  { store, endpoints, subscriptions, clock }: FlowWorkOptions,
  endpointId: string,
  since?: number,
): Promise<void> {
  const runtime = endpoints.runtime(endpointId)!;
  // Events that came while the flow was being declared were fanned out without it: they are the past, too.
  await store.flush();
  let after: string | null = null;
  for (;;) {
    const page = await store.reader.events({
      where: since === undefined ? {} : { since },
      limit: BACKFILL_PAGE,
      order: 'oldest',
      after,
    });
    const debts = await Promise.all(
      page.rows
        .filter(({ row }) => runtime.matches(row))
        .map(async ({ row }) => ({
          eventId: row.id,
          debt: await subscriptions.oweOne(row, runtime, clock.now()),
        })),
    );
    await store.owe(debts.flatMap(({ eventId, debt }) => (debt ? [{ eventId, deliveries: [debt] }] : [])));
    if (!page.hasMore) return;
    after = page.rows.at(-1)!.cursor;
  }
}

function missing(deliveryId: string): never {
  throw new HooklineError('NOT_FOUND', `There is no delivery "${deliveryId.slice(0, 60)}".`);
}
