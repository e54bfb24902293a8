import { formatDeliveryId } from '../delivery-id.ts';
import type { Event } from '../../events/event.ts';
import type { DeliveryRow } from '../store-reader.ts';
import type { DeliveryStatus } from '../store.ts';
import type { NameTable } from './sqlite-database.ts';

/** Stored as the index in this list: append only. `schema.sql` knows that 3 is SUCCEEDED. */
export const STATUSES = [
  'PENDING',
  'RETRYING',
  'HELD',
  'SUCCEEDED',
  'FAILED',
  'EXHAUSTED',
  'REJECTED',
  'EXPIRED',
  'SUPERSEDED',
  'CANCELLED',
] as const satisfies readonly DeliveryStatus[];

const STATUS_NUMBERS = new Map<DeliveryStatus, number>(STATUSES.map((status, number) => [status, number]));

export function statusNumber(status: DeliveryStatus): number {
  return STATUS_NUMBERS.get(status)!;
}

export const FLAG_TEST = 1;
export const FLAG_LENIENT = 2;
export const FLAG_DIRECT = 4;

/** More attempts than this of one delivery overwrite the last kept one. */
export const ATTEMPTS_PER_DELIVERY = 4096;

export interface EventColumns {
  id: string;
  source_no: number | null;
  type_no: number;
  occurred_at: number;
  received_at: number;
  machine_id: string | null;
  machine: string | null;
  flags: number;
  hops: number;
  body: string | null;
  raw: Uint8Array | null;
}

export function toEvent(row: EventColumns, names: NameTable): Event {
  return {
    id: row.id,
    source: row.source_no === null ? null : names.nameOf(row.source_no),
    type: names.nameOf(row.type_no),
    occurredAt: row.occurred_at,
    receivedAt: row.received_at,
    machine:
      row.machine_id === null
        ? null
        : { id: row.machine_id, ...(row.machine === null ? {} : (JSON.parse(row.machine) as object)) },
    test: (row.flags & FLAG_TEST) !== 0,
    hops: row.hops,
    body: row.body ?? 'null',
    raw: row.raw,
    verifiedLeniently: (row.flags & FLAG_LENIENT) !== 0,
  };
}

export interface DeliveryColumns {
  seq: number;
  event_id: string;
  endpoint_no: number;
  type_no: number;
  status: number;
  due_at: number | null;
  step: number;
  generation: number;
  attempts: number;
  flags: number;
  created_at: number;
  completed_at: number | null;
  reason: string | null;
  context: string | null;
  held: number;
  order_state: number;
  order_key: string | null;
}

/** The stored row as people see it but for its lease, which only the claim side knows. */
export function toDelivery(row: DeliveryColumns, names: NameTable): DeliveryRow {
  const status = STATUSES[row.status]!;
  const waitsForKey = row.order_state === 2;
  const held = (row.held === 1 || waitsForKey) && (status === 'PENDING' || status === 'RETRYING');
  const heldBecause = waitsForKey ? 'key_waits' : 'endpoint_held';
  return {
    id: formatDeliveryId(row.seq),
    eventId: row.event_id,
    eventType: names.nameOf(row.type_no),
    endpointId: names.nameOf(row.endpoint_no),
    status: held ? 'HELD' : status,
    reason: held ? heldBecause : row.reason,
    attemptCount: row.attempts,
    generation: row.generation,
    step: row.step,
    nextAttemptAt: held ? null : row.due_at,
    createdAt: row.created_at,
    completedAt: row.completed_at,
    test: (row.flags & FLAG_TEST) !== 0,
    orderKey: row.order_key,
    direct: (row.flags & FLAG_DIRECT) !== 0,
    context: row.context,
  };
}
