import type { Clock } from '../clock.ts';
import type { Connector } from '../connectors/connector.ts';
import type { EndpointKind } from '../services.ts';
import { PUSH_POOL, type Lease, type NewAttempt, type Settlement, type Store } from '../store/store.ts';
import type { EndpointRegistry } from './endpoints.ts';
import type { OperationalEvents } from './operational-events.ts';
import { newsOf, settleLease, type LeaseEnd } from './settle-lease.ts';
import type { Subscriptions } from './subscriptions.ts';

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
  subscriptions: Pick<Subscriptions, 'owe'>;
  operational: OperationalEvents;
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
  const { store, endpoints, connectors, schedule, clock, random, log, subscriptions, operational } = options;
  const { maxInFlight = 512 } = options;
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
      settle(endWithoutAttempt(lease, 'CANCELLED', 'endpoint_gone'));
      return;
    }
    // Whoever replays an old delivery wants it sent, however old it is.
    const livesMs = lease.generation === 0 ? runtime.timeToLiveMs : null;
    if (livesMs !== null && clock.now() - lease.createdAt > livesMs) {
      settle(endWithoutAttempt(lease, 'EXPIRED', 'time_to_live_passed'));
      return;
    }
    const sent = await connector.send(lease, runtime);
    if (sent.kind === 'held') {
      settle({ ...endWithoutAttempt(lease, 'HELD', sent.reason), freesKey: false });
      return;
    }
    const { attempt: made, retryAfterMs } = sent;
    const now = clock.now();
    const end: LeaseEnd = {
      lease,
      endpoint: runtime.endpoint,
      schedule: runtime.schedule ?? schedule,
      attempt: made,
      retryAfterMs,
      now,
      random: random(),
    };
    const settlement = settleLease(end);
    const news = newsOf(end, settlement);
    if (news) {
      const audience = await subscriptions.owe(news, lease.endpointId);
      settle({ ...settlement, causes: [...settlement.causes, { event: news, deliveries: audience }] });
    } else settle(settlement);
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
    const giveUp = reasonToGiveUp(lease, made, now);
    if (giveUp === null || !runtime.endpoint.active) return;
    await endpoints.disable(lease.endpointId, giveUp);
    const { id, description, kind } = runtime.endpoint;
    await operational.tell(
      'hookline.endpoint.disabled',
      { endpoint: { id, description, kind }, reason: giveUp },
      id,
    );
  };

  const run = async (): Promise<void> => {
    const leases = store.claim({
      pool: PUSH_POOL,
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

/** An endpoint that had nothing but failures for this long is switched off. */
const FAILING_TOO_LONG_MS = 5 * 86_400_000;

function reasonToGiveUp({ failingSince }: Lease, attempt: NewAttempt, now: number): string | null {
  // The receiver says that it is gone for good (Standard Webhooks).
  if (attempt.statusCode === 410) return 'gone';
  if (attempt.outcome === 'SUCCESS' || failingSince === null) return null;
  return now - failingSince >= FAILING_TOO_LONG_MS ? 'failing_too_long' : null;
}

function endWithoutAttempt(
  { deliveryId, token, step }: Lease,
  status: 'CANCELLED' | 'EXPIRED' | 'HELD',
  reason: string,
): Settlement {
  return { deliveryId, token, attempt: null, status, dueAt: null, step, reason, causes: [] };
}
