import { formatDeliveryId } from '../delivery-id.ts';
import type { DeliveryRow, ShownStatus } from '../store-reader.ts';
import type { RedisConnection } from './redis-connection.ts';

/** A delivery as commands show it: see `showDelivery` in `lua/shared/deliveries.lua`. */
export type ShownDelivery = [
  seq: number,
  eventId: string,
  type: string,
  endpointId: string,
  status: ShownStatus,
  reason: string | null,
  attemptCount: number,
  generation: number,
  step: number,
  nextAttemptAt: number | null,
  createdAt: number,
  completedAt: number | null,
  flags: number,
  orderKey: string | null,
];

export const FLAG_TEST = 1;
export const FLAG_DIRECT = 4;
const FLAG_CONTEXT = 8;

/** Deliveries by their seqs; null for what is not there. */
export async function readDeliveries(
  connection: RedisConnection,
  seqs: readonly number[],
): Promise<(DeliveryRow | null)[]> {
  const { result, text } = await connection.run<{ rows: (ShownDelivery | null)[] }>('read-deliveries', {
    seqs,
  });
  return result.rows.map((shown, index) => shown && toDeliveryRow(shown, text(index + 1)));
}

/** @param context as it came along: empty for none */
export function toDeliveryRow(shown: ShownDelivery, context: string): DeliveryRow {
  const [seq, eventId, eventType, endpointId, status, reason, attemptCount, generation, step] = shown;
  const [, , , , , , , , , nextAttemptAt, createdAt, completedAt, flags, orderKey] = shown;
  return {
    id: formatDeliveryId(seq),
    eventId,
    eventType,
    endpointId,
    status,
    reason,
    attemptCount,
    generation,
    step,
    nextAttemptAt,
    createdAt,
    completedAt,
    test: (flags & FLAG_TEST) !== 0,
    orderKey,
    direct: (flags & FLAG_DIRECT) !== 0,
    context: (flags & FLAG_CONTEXT) === 0 ? null : context,
  };
}
