import { envelopeBody, type Event } from '../events/event.ts';
import type { Endpoint } from '../services.ts';
import type { Lease, NewAttempt, NewEvent, Settlement } from '../store/store.ts';
import { decideNext, type Decision } from './retry-policy.ts';

export interface LeaseEnd {
  lease: Lease;
  /** null where the endpoint is not known any more. */
  endpoint: Pick<Endpoint, 'id' | 'kind' | 'description' | 'resultsTo'> | null;
  schedule: readonly number[];
  attempt: NewAttempt;
  retryAfterMs: number | null;
  now: number;
  /** From 0 up to 1. */
  random: number;
}

/** What an attempt makes of a delivery: the decision, and the result event where somebody waits for it. */
export function settleLease(end: LeaseEnd): Settlement {
  const { lease, attempt, schedule, now } = end;
  const decision = decideNext(
    {
      outcome: attempt.outcome,
      statusCode: attempt.statusCode,
      retryAfterMs: end.retryAfterMs,
      endedAt: now,
    },
    { step: lease.step, schedule, createdAt: lease.createdAt },
    end.random,
  );
  return {
    deliveryId: lease.deliveryId,
    token: lease.token,
    attempt,
    ...decision,
    causes: decision.dueAt === null && end.endpoint?.resultsTo ? [resultEvent(end, decision)] : [],
  };
}

/** Tells the flow that sent something what became of it; its context comes back with it. */
function resultEvent({ lease, endpoint, attempt, now }: LeaseEnd, decision: Decision): NewEvent {
  const type = `hookline.delivery.${decision.status.toLowerCase()}`;
  // Unique for each end of this delivery, and the same however often it is made: one end, one result.
  const id = `evt_${lease.deliveryId}_${lease.attemptNumber}`;
  const data = {
    delivery: {
      id: lease.deliveryId,
      endpointId: lease.endpointId,
      status: decision.status,
      reason: decision.reason,
      attemptCount: lease.attemptNumber,
      nextAttemptAt: null,
      createdAt: new Date(lease.createdAt).toISOString(),
      completedAt: new Date(now).toISOString(),
      statusCode: attempt.statusCode,
      responseBody: attempt.responseBody,
    },
    endpoint: { id: lease.endpointId, description: endpoint!.description, kind: endpoint!.kind },
    event: { id: lease.event.id, type: lease.event.type },
    lastAttempt: {
      number: lease.attemptNumber,
      outcome: attempt.outcome,
      statusCode: attempt.statusCode,
      durationMs: attempt.durationMs,
      error: attempt.error,
    },
  };
  const event: Event = {
    id,
    source: null,
    type,
    occurredAt: now,
    receivedAt: now,
    machine: lease.event.machine,
    test: lease.event.test,
    hops: lease.event.hops,
    body: envelopeBody({ id, type, timestamp: new Date(now).toISOString(), data }),
    raw: null,
    verifiedLeniently: false,
  };
  const flowId = endpoint!.resultsTo!;
  return {
    event,
    deliveries: [
      {
        endpointId: flowId,
        pool: flowId,
        dueAt: now,
        orderKey: null,
        status: 'PENDING',
        reason: null,
        context: lease.context,
      },
    ],
    direct: true,
  };
}
