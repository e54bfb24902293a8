import { envelopeBody, type Event } from '../events/event.ts';
import type { Endpoint } from '../services.ts';
import type { Lease, NewAttempt, NewDelivery, NewEvent, Settlement } from '../store/store.ts';
import { ATTEMPTS_UNTIL_FAILED, decideNext, readSign, type Decision } from './retry-policy.ts';

export interface LeaseEnd {
  lease: Lease;
  /** null where the endpoint is not known any more. */
  endpoint: Pick<Endpoint, 'id' | 'kind' | 'description' | 'resultsTo' | 'onFailed'> | null;
  schedule: readonly number[];
  attempt: NewAttempt;
  retryAfterMs: number | null;
  now: number;
  /** From 0 up to 1. */
  random: number;
}

/** What an attempt makes of a delivery: the decision, what it says of the receiver, and who is told. */
export function settleLease(end: LeaseEnd): Settlement {
  const { lease, attempt, schedule, now, endpoint } = end;
  const attemptEnd = {
    outcome: attempt.outcome,
    statusCode: attempt.statusCode,
    retryAfterMs: end.retryAfterMs,
    endedAt: now,
  };
  const state = { step: lease.step, schedule, createdAt: lease.createdAt };
  const decision = decideNext(attemptEnd, state, end.random);
  const skipsFailed = decision.status === 'FAILED' && endpoint?.onFailed === 'SKIP';
  return {
    deliveryId: lease.deliveryId,
    token: lease.token,
    attempt,
    ...decision,
    freesKey: decision.dueAt === null || skipsFailed,
    // A flow's failures are its own; they are no reason to stop giving it work.
    sign: endpoint?.kind === 'FLOW' ? null : readSign(attemptEnd),
    causes: causesOf(end, decision),
  };
}

/** The flow that sent it gets told how it ended. */
function causesOf(end: LeaseEnd, decision: Decision): NewEvent[] {
  const flowId = end.endpoint?.resultsTo;
  if (decision.dueAt !== null || !flowId) return [];
  const debt: NewDelivery = {
    endpointId: flowId,
    pool: flowId,
    dueAt: end.now,
    orderKey: null,
    status: 'PENDING',
    reason: null,
    context: end.lease.context,
  };
  return [{ event: deliveryEvent(end, decision, 'result'), deliveries: [debt], direct: true }];
}

/**
 * What whoever watches over deliveries is told: once when one becomes FAILED, not again on each of the daily
 * attempts that follow, and when it is EXHAUSTED. @returns null for no news
 */
export function newsOf(end: LeaseEnd, settlement: Settlement): Event | null {
  const { status, dueAt, step, reason } = settlement;
  const becameFailed = status === 'FAILED' && end.lease.step < step && step === ATTEMPTS_UNTIL_FAILED;
  if (!becameFailed && status !== 'EXHAUSTED') return null;
  return deliveryEvent(end, { status, dueAt, step, reason }, 'news');
}

/** `result`: for the flow that sent it, its context comes along. `news`: for whoever watches over deliveries. */
function deliveryEvent(
  { lease, endpoint, attempt, now }: LeaseEnd,
  decision: Decision,
  audience: 'result' | 'news',
): Event {
  const type = `hookline.delivery.${decision.status.toLowerCase()}`;
  // Unique for each end of this delivery, and the same however often it is made.
  const id = `evt_${lease.deliveryId}_${lease.attemptNumber}${audience === 'news' ? '_news' : ''}`;
  const data = {
    delivery: {
      id: lease.deliveryId,
      endpointId: lease.endpointId,
      status: decision.status,
      reason: decision.reason,
      attemptCount: lease.attemptNumber,
      nextAttemptAt: decision.dueAt === null ? null : new Date(decision.dueAt).toISOString(),
      createdAt: new Date(lease.createdAt).toISOString(),
      completedAt: decision.dueAt === null ? new Date(now).toISOString() : null,
      statusCode: attempt.statusCode,
      responseBody: attempt.responseBody,
    },
    endpoint: {
      id: lease.endpointId,
      description: endpoint?.description ?? null,
      kind: endpoint?.kind ?? null,
    },
    event: { id: lease.event.id, type: lease.event.type },
    lastAttempt: {
      number: lease.attemptNumber,
      outcome: attempt.outcome,
      statusCode: attempt.statusCode,
      durationMs: attempt.durationMs,
      error: attempt.error,
    },
  };
  return {
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
}
