import type { Clock } from '../clock.ts';
import type { Connector } from '../connectors/connector.ts';
import type { EndpointKind } from '../services.ts';
import type { Lease, Settlement, Store } from '../store/store.ts';
import type { EndpointRegistry } from './endpoints.ts';
import { settleLease } from './settle-lease.ts';

/** Where the one line per attempt goes; a pino logger fits. */
export interface AttemptLog {
  info(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export interface WorkerOptions {
  store: Store;
  endpoints: Pick<EndpointRegistry, 'runtime' | 'disable'>;
  connectors: Partial<Record<EndpointKind, Connector>>;
  /** The installation's schedule, ms. */
  schedule: readonly number[];
  clock: Clock;
  /** From 0 up to 1. */
  random: () => number;
  log: AttemptLog;
  /** Attempts under way at a time. @default 512 */
  maxInFlight?: number;
}

/** Far longer than any attempt may take: the store takes a lease back only if this process loses it. */
const LEASE_MS = 180_000;

/**
 * The loop that delivers: takes what the store grants, makes the attempts side by side, hands the results to the
 * store. It awaits the store for nothing but the next leases.
 * @returns `close`: takes no more, waits for what is under way.
 */
export function startWorker(options: WorkerOptions): { close(): Promise<void> } {
  const { store, endpoints, connectors, schedule, clock, random, log, maxInFlight = 512 } = options;
  const closing = new AbortController();
  let underWay = 0;
  let onIdle: (() => void) | null = null;

  const settle = (settlement: Settlement): void => {
    store.record([settlement]).catch((error: unknown) => {
      // The lease ends by itself and the attempt is made again, with the same id.
      log.error({ deliveryId: settlement.deliveryId, err: error }, 'attempt could not be recorded');
    });
  };

  const attempt = async (lease: Lease): Promise<void> => {
    const runtime = endpoints.runtime(lease.endpointId);
    const connector = runtime ? connectors[runtime.endpoint.kind] : undefined;
    if (!runtime || !connector || runtime.endpoint.retiredAt !== null) {
      settle({
        ...lease,
        attempt: null,
        status: 'CANCELLED',
        dueAt: null,
        reason: 'endpoint_gone',
        causes: [],
      });
      return;
    }
    const { attempt: made, retryAfterMs } = await connector.send(lease, runtime);
    const now = clock.now();
    const settlement = settleLease({
      lease,
      endpoint: runtime.endpoint,
      schedule: runtime.schedule ?? schedule,
      attempt: made,
      retryAfterMs,
      now,
      random: random(),
    });
    settle(settlement);
    log.info(
      {
        eventId: lease.event.id,
        deliveryId: lease.deliveryId,
        endpointId: lease.endpointId,
        attempt: lease.attemptNumber,
        outcome: made.outcome,
        statusCode: made.statusCode,
        durationMs: made.durationMs,
        status: settlement.status,
        nextAttemptAt: settlement.dueAt,
      },
      'delivery.attempted',
    );
    // 410: the receiver says that it is gone for good (Standard Webhooks).
    if (made.statusCode === 410) await endpoints.disable(lease.endpointId, 'gone');
  };

  const run = async (): Promise<void> => {
    const leases = store.claim({
      pool: 'push',
      worker: 'push',
      maxInFlight,
      leaseMs: LEASE_MS,
      signal: closing.signal,
    });
    for await (const batch of leases) {
      for (const lease of batch) {
        underWay++;
        void attempt(lease)
          .catch((error: unknown) =>
            log.error({ deliveryId: lease.deliveryId, err: error }, 'attempt failed inside'),
          )
          .finally(() => {
            underWay--;
            if (underWay === 0) onIdle?.();
          });
      }
    }
  };
  const running = run().catch((error: unknown) => log.error({ err: error }, 'the delivery loop has ended'));

  return {
    async close() {
      closing.abort();
      await running;
      if (underWay > 0) await new Promise<void>((resolve) => (onIdle = resolve));
    },
  };
}
