import { formatDeliveryId } from '../delivery-id.ts';
import type { Lease } from '../store.ts';
import type { CommitRequest, IdHolder } from './commit-request.ts';
import { readEventText } from './event-text.ts';
import type { ScriptAnswer } from './redis-connection.ts';

/** What `lua/commit.lua` answers. */
export interface CommitAnswer {
  appends: (number[] | IdHolder)[];
  /** 1 recorded, 0 stale. */
  settlements: (0 | 1 | IdHolder)[];
  grants: Grant[];
  /** In the order of the request's pools. */
  pools: [wakeAt: number | null, mask: number][];
  /** Unix ms by the clock that was used. */
  now: number;
}

/** Of a delivery that came with the request; or of a stored one, with all that a worker needs. */
export type Grant = GrantHead | [...GrantHead, ...GrantedDelivery];

type GrantHead = [
  claim: number,
  seq: number,
  token: number,
  expiresAt: number,
  lane: 0 | 1,
  failingSince: number | null,
  text: number,
  nth: number,
];

type GrantedDelivery = [
  endpointId: string,
  attempts: number,
  generation: number,
  step: number,
  orderKey: string | null,
  createdAt: number,
  event: number,
  context: number,
];

/** @param expiresAt Unix ms by our clock. */
export function toLease(
  grant: Grant,
  expiresAt: number,
  request: CommitRequest,
  answer: ScriptAnswer<CommitAnswer>,
): Lease {
  const [, seq, token, , , failingSince, text, nth] = grant;
  const shared = { deliveryId: formatDeliveryId(seq), token, expiresAt, failingSince };
  if (grant.length === 8) {
    const { append, event } = request.appendOf(text);
    const { endpointId, orderKey, context } = append.deliveries[nth - 1]!;
    const first = { attemptNumber: 1, generation: 0, step: 0, createdAt: event.receivedAt };
    return { ...shared, ...first, endpointId, orderKey, context, event };
  }
  const [, , , , , , , , endpointId, attempts, generation, step, orderKey, createdAt, event, context] = grant;
  return {
    ...shared,
    endpointId,
    attemptNumber: attempts + 1,
    generation,
    step,
    orderKey,
    createdAt,
    context: context === 0 ? null : answer.text(context),
    event: readEventText(answer.text(event)),
  };
}
