import type { DeliveryExplanation, Endpoint } from '../services.ts';
import type { DeliveryRow } from '../store/store-reader.ts';
import type { LaneState } from '../store/store.ts';
import { countAttempts, describeDisabled, describeReason, formatMoment } from './explain-words.ts';

/** How things stand, in a code, in words and with the attempt that comes next. */
export type ExplainedState = Pick<DeliveryExplanation, 'code' | 'sentence' | 'nextAttempt'>;

export interface DeliveryCircumstances {
  row: DeliveryRow;
  endpoint: Endpoint;
  lane: LaneState;
  /** The delivery that holds the key it waits for; null where it waits for none, or nobody holds it any more. */
  holder: DeliveryRow | null;
  /** Unix ms. */
  now: number;
}

/** Why a delivery that was made stands where it stands. Pure. */
export function explainState(circumstances: DeliveryCircumstances): ExplainedState {
  const { row } = circumstances;
  if (row.status === 'SUCCEEDED') {
    const when = formatMoment(row.completedAt ?? row.createdAt);
    return ended('DELIVERED', `It was delivered on ${when}, after ${countAttempts(row.attemptCount)}.`);
  }
  if (row.status === 'SENDING') return ended('SENDING', `Attempt ${row.attemptCount + 1} is under way.`);
  if (isOver(row)) return ended('OVER', describeEnd(row));
  return explainHeld(circumstances) ?? explainWaiting(circumstances);
}

/** True where it waits until an earlier one of its key makes way. */
export function waitsForKey({ status, reason, orderKey }: DeliveryRow): boolean {
  return status === 'HELD' && reason === 'key_waits' && orderKey !== null;
}

function ended(code: DeliveryExplanation['code'], sentence: string): ExplainedState {
  return { code, sentence, nextAttempt: null };
}

function isOver({ status, nextAttemptAt }: DeliveryRow): boolean {
  return nextAttemptAt === null && status !== 'HELD' && status !== 'PENDING' && status !== 'RETRYING';
}

function describeEnd(row: DeliveryRow): string {
  const when = formatMoment(row.completedAt ?? row.createdAt);
  const why = describeReason(row.reason);
  const tries = countAttempts(row.attemptCount);
  switch (row.status) {
    case 'SUPERSEDED':
      return `It was left out on ${when}, because ${why}.`;
    case 'CANCELLED':
    case 'EXPIRED':
      return `It ended on ${when}, after ${tries}, because ${why}.`;
    case 'REJECTED':
      return `It was given up on ${when}, after ${tries}, because no further one can help: ${why}. Mend that, then retry it.`;
    default:
      return `It was given up on ${when}, after ${tries}, because its schedule is used up; the last time ${why}. Retry or replay it.`;
  }
}

/** What no passing of time ends; null where nothing of that kind holds it. */
function explainHeld({ row, endpoint, holder, now }: DeliveryCircumstances): ExplainedState | null {
  const { retiredAt, active, paused, disabledReason, updatedAt } = endpoint;
  if (retiredAt !== null) {
    const when = formatMoment(retiredAt);
    return ended(
      'ENDPOINT_DELETED',
      `The endpoint was deleted on ${when}: the delivery is called off as it falls due.`,
    );
  }
  if (row.status === 'HELD' && row.reason !== 'key_waits' && row.reason !== 'endpoint_held') {
    return ended(
      'FILTER_FAILED',
      `It is held, because ${describeReason(row.reason)}. Mend the expression, then retry it.`,
    );
  }
  if (!active) {
    const who = describeDisabled(disabledReason);
    return ended(
      'HELD_OFF',
      `The endpoint is switched off${who}: the delivery waits until it is switched on.`,
    );
  }
  if (paused) {
    const since = formatMoment(updatedAt);
    return ended(
      'HELD_PAUSED',
      `The endpoint is paused since ${since} at the latest: the delivery waits until it goes on.`,
    );
  }
  if (!waitsForKey(row)) return null;
  const key = `the key ${JSON.stringify(row.orderKey)}`;
  const at = Math.max(now, holder?.nextAttemptAt ?? now);
  return {
    code: 'WAITS_FOR_KEY',
    sentence:
      holder === null
        ? `It waits for ${key}, which is about to be free.`
        : `It waits for ${key} behind delivery ${holder.id}, which is ${describeHolder(holder)}.`,
    nextAttempt: { number: row.attemptCount + 1, at },
  };
}

function describeHolder({ status, nextAttemptAt, attemptCount }: DeliveryRow): string {
  const next = nextAttemptAt === null ? '' : ` and due again on ${formatMoment(nextAttemptAt)}`;
  return `${status} after ${countAttempts(attemptCount)}${next}`;
}

/** What time, or the end of another attempt, brings to an end. */
function explainWaiting({ row, endpoint, lane, now }: DeliveryCircumstances): ExplainedState {
  const dueAt = row.nextAttemptAt ?? now;
  const obstacle = findObstacle(lane, now);
  const number = row.attemptCount + 1;
  const nextAttempt = { number, at: Math.max(now, dueAt, obstacle?.until ?? now) };
  if (dueAt > now && dueAt > (obstacle?.until ?? now)) {
    const why = row.attemptCount === 0 ? '' : `, because ${describeReason(row.reason)}`;
    const rest =
      lane.restUntil === null ? '' : ` The receiver asked for rest until ${formatMoment(lane.restUntil)}.`;
    return {
      code: 'NOT_DUE_YET',
      sentence: `Attempt ${number} is not due before ${formatMoment(dueAt)}${why}.${rest}`,
      nextAttempt,
    };
  }
  if (obstacle) return { code: obstacle.code, sentence: obstacle.sentence, nextAttempt };
  const turn = endpoint.kind === 'FLOW' ? 'its flow asks for work' : 'its turn comes';
  return {
    code: 'DUE',
    sentence: `Attempt ${number} is due since ${formatMoment(dueAt)} and begins as soon as ${turn}.`,
    nextAttempt,
  };
}

interface Obstacle {
  code: 'RESTING' | 'CIRCUIT_OPEN' | 'CONCURRENCY_FULL' | 'RATE_LIMITED';
  sentence: string;
  /** Unix ms; null where it is not time that ends it. */
  until: number | null;
}

/** What keeps the endpoint from getting anything right now, in the order in which the lane asks. */
function findObstacle(lane: LaneState, now: number): Obstacle | null {
  const { restUntil, circuit, nextProbeAt, inFlight, concurrency, nextTokenAt, failuresInRow } = lane;
  if (restUntil !== null && restUntil > now) {
    const sentence = `The receiver asked for rest until ${formatMoment(restUntil)}.`;
    return { code: 'RESTING', sentence, until: restUntil };
  }
  const probeAt = nextProbeAt !== null && nextProbeAt > now ? nextProbeAt : null;
  if (circuit !== 'closed' && (probeAt !== null || inFlight > 0)) {
    const next = probeAt === null ? 'one of them is under way' : `the next one on ${formatMoment(probeAt)}`;
    const sentence = `The receiver failed ${failuresInRow} times in a row, so its circuit is open and only probes go out: ${next}.`;
    return { code: 'CIRCUIT_OPEN', sentence, until: probeAt };
  }
  if (inFlight >= concurrency) {
    const sentence = `The endpoint gets ${concurrency} at a time, and that many are under way: it begins when one of them ends.`;
    return { code: 'CONCURRENCY_FULL', sentence, until: null };
  }
  if (nextTokenAt === null || nextTokenAt <= now) return null;
  const sentence = `The rate limit of the endpoint lets the next one go on ${formatMoment(nextTokenAt)}.`;
  return { code: 'RATE_LIMITED', sentence, until: nextTokenAt };
}
