import type { Event } from '../../events/event.ts';
import type { DeliveryRow, DeliveryWhere, EventWhere, PageQuery } from '../store-reader.ts';
import type { RecordChange } from '../records.ts';
import type { Amendment, Debt, LaneSettings, LeaseRef, NewEvent, Settlement, TimerChange } from '../store.ts';

/** What travels between the store's face and its writer thread: one batch, one commit, one answer. */
export interface Batch {
  /** Unix ms: the writer has no clock of its own. */
  now: number;
  appends: NewEvent[];
  settlements: Settlement[];
  tasks: Task[];
  /** Somebody follows the journal: the answer carries what changed. */
  wantJournal: boolean;
}

export type Task =
  | { kind: 'amend'; amendment: Amendment }
  | { kind: 'set-lanes'; lanes: readonly LaneSettings[] }
  | { kind: 'lane-states'; endpointIds: readonly string[] }
  | { kind: 'open-claim'; claim: { id: number; pool: string; maxInFlight: number; leaseMs: number } }
  | { kind: 'end-claim'; id: number; handBack: boolean }
  | { kind: 'owe'; debts: readonly Debt[]; again: boolean }
  | { kind: 'renew'; leases: readonly LeaseRef[]; leaseMs: number }
  | { kind: 'change-timers'; changes: readonly TimerChange[] }
  | { kind: 'due-timers' }
  | { kind: 'commit-records'; changes: readonly RecordChange[] }
  | { kind: 'prune'; before: number; rememberIdsMs: number; limit: number };

/** A failure that belongs to one operation; the others of its batch are not harmed by it. */
export interface Failure {
  failure: string;
}

export type AppendOutcome =
  /** `event` where it is stored otherwise than it was handed in (its id was taken by another source). */
  | { seq: number; id: string; deliverySeqs: number[]; event: Event | null }
  | { duplicateOf: string }
  | Failure;

export interface Grant {
  seq: number;
  token: number;
  claimId: number;
  endpointId: string;
  expiresAt: number;
  attempts: number;
  generation: number;
  step: number;
  orderKey: string | null;
  failingSince: number | null;
  createdAt: number;
  context: string | null;
  /** Index into the batch's appends where the event came with it, else the event itself. */
  event: number | Event;
}

export interface BatchResult {
  appends: AppendOutcome[];
  /** Per settlement: recorded, stale, or failed (to be tried again). */
  settlements: ('recorded' | 'stale' | 'failed')[];
  tasks: unknown[];
  grants: Grant[];
  /** The batch's entries in journal order; null unless asked for. */
  journal: JournalItem[] | null;
  head: number;
  /** Unix ms at which something falls due by itself, null for never. */
  wakeAt: number | null;
  /** Unix ms of the next timer, null for none. */
  timerAt: number | null;
}

/** An entry of the journal; an event that came with the batch is named by its index among the appends. */
export type JournalItem =
  | { seq: number; at: number; event: number | Event }
  | { seq: number; at: number; delivery: DeliveryRow };

/** What the reader thread answers. */
export type ReadRequest =
  | { kind: 'events'; query: PageQuery<EventWhere>; afterSeq: number | null }
  | { kind: 'deliveries'; query: PageQuery<DeliveryWhere>; afterSeq: number | null; leased: number[] }
  | { kind: 'events-by-id'; ids: readonly string[] }
  | { kind: 'deliveries-by-id'; ids: readonly string[] }
  | { kind: 'attempts'; ids: readonly string[] }
  | { kind: 'backlog'; now: number }
  | { kind: 'journal'; after: number; limit: number }
  | { kind: 'record'; collection: string; id: string }
  | { kind: 'records'; collection: string };
