import type { Event } from '../events/event.ts';
import type { Cursor } from './journal.ts';
import type { DeliveryStatus, NewAttempt } from './store.ts';

/** Reads for pages, logs and details. Everything is as of one snapshot per call. */
export interface StoreReader {
  events(query: PageQuery<EventWhere>): Promise<Page<Event>>;
  deliveries(query: PageQuery<DeliveryWhere>): Promise<Page<DeliveryRow>>;
  /** In the order asked; null for what is not there. Direct events (meant for one endpoint) are found too. */
  eventsById(ids: readonly string[]): Promise<(Event | null)[]>;
  deliveriesById(ids: readonly string[]): Promise<(DeliveryRow | null)[]>;
  /** Attempts of each delivery, oldest first, in the order asked. */
  attempts(deliveryIds: readonly string[]): Promise<Attempt[][]>;
  /** What is open now: the pulse of the installation. */
  backlog(): Promise<Backlog>;
}

export interface PageQuery<Where> {
  where: Where;
  /** 1 to 500. */
  limit: number;
  /** `newest` first is the order of lists; `oldest` that of catching up. */
  order: 'newest' | 'oldest';
  /** Rows strictly beyond this one, in the order asked. */
  after: Cursor | null;
}

export interface Page<Row> {
  rows: { cursor: Cursor; row: Row }[];
  hasMore: boolean;
  /** The journal's head as this page was read: subscribe from here and nothing is missed. */
  head: Cursor;
}

export interface EventWhere {
  /** Exact names or families (`work_order.*`). */
  types?: readonly string[];
  sources?: readonly string[];
  machines?: readonly string[];
  /** Unix ms, by `receivedAt`; since inclusive, until exclusive. */
  since?: number;
  until?: number;
  test?: boolean;
}

export interface DeliveryWhere {
  endpointIds?: readonly string[];
  eventIds?: readonly string[];
  /** Exact FIFO keys; only together with `endpointIds`. */
  orderKeys?: readonly string[];
  /** Exact names or families (`work_order.*`). */
  types?: readonly string[];
  /** Shown statuses, SENDING and derived HELD included. */
  statuses?: readonly ShownStatus[];
  /** Unix ms, by `createdAt`; since inclusive, until exclusive. */
  since?: number;
  until?: number;
  test?: boolean;
}

/** As people see it: SENDING while a lease is out, HELD while the endpoint is held. */
export type ShownStatus = DeliveryStatus | 'SENDING';

export interface DeliveryRow {
  id: string;
  eventId: string;
  eventType: string;
  endpointId: string;
  status: ShownStatus;
  reason: string | null;
  attemptCount: number;
  generation: number;
  step: number;
  /** Unix ms; null when nothing further happens by itself. */
  nextAttemptAt: number | null;
  createdAt: number;
  completedAt: number | null;
  test: boolean;
  /** FIFO key within its endpoint; null for unordered. */
  orderKey: string | null;
  /** Its event was meant for this endpoint alone. */
  direct: boolean;
  context: string | null;
}

export interface Attempt extends NewAttempt {
  number: number;
}

export interface Backlog {
  /** Deliveries that are owed and may go as soon as they are due. */
  open: number;
  /** Unix ms of the longest overdue one, null when none is overdue. */
  oldestDueAt: number | null;
  held: number;
}
