import type { Event } from '../events/event.ts';
import type { GateState, ReceiverHealth, ReceiverSign } from './endpoint-gate.ts';
import type { JournalEntry, Cursor } from './journal.ts';
import type { StoreReader } from './store-reader.ts';

/**
 * The hot port: the one durable hand-over between receiving, delivering and showing.
 *
 * It speaks of intent and knows *lanes*: endpoint × first attempts | retries. Within a lane it knows what is
 * due, how much is in flight and whether the endpoint is held, so that a dead endpoint's million due rows
 * never stand in a healthy one's way. Leases are granted by the store, never asked for one by one.
 *
 * What every adapter keeps, and how (the contract suite `test/store/store-contract.ts` is the judge):
 *
 * | promise | embedded (SQLite) | distributed (Redis) |
 * |---|---|---|
 * | an event and the deliveries it owes become durable together | one transaction, fsync; many appends share it | one script over keys of one hash tag; `appendonly`, in `strict` also WAIT |
 * | de-duplication is insert-first | unique index on the public id | a hash of ids in the same script, pruned with the events: ids must outlive 8 days by the store's clock |
 * | one journal sequence, given at commit | counter of the one writer | `XADD` to one stream; the entry id is the sequence |
 * | payloads once, ids in queues | `events` row; lanes are an index | one record per event; lanes are sorted sets of delivery ids by due time |
 * | a lease is held by one worker, fenced by a token | in the writer's memory: one process owns the file, all leases end with it | kept per process, which is heard of every second: gone after 8 s, its leases are taken over; token is `INCR` |
 * | concurrency, rate and circuit per endpoint hold everywhere | a gate per endpoint in the writer; its health in a row | one hash for all endpoints, read and written by the script that grants |
 * | order per key | a later row of a key waits outside its lane until the one before frees it; index by key | a list per endpoint and key; its head alone is in the sorted set |
 * | timers fire once | index by due time, deleted in the commit that hands them out to one claimant | sorted set, `ZREM` decides who fires |
 * | whatever follows sees every change once, in order | ring in memory, then the tables by sequence | one `XREAD BLOCK` per process, `XRANGE` to catch up |
 * | attempts ride in the next commit | settlements are queued and committed with the next batch | one script call per batch |
 */
export interface Store {
  /** Changes when sequence numbers can no longer be trusted to continue (restore, migration). Part of each cursor. */
  readonly epoch: string;

  /** Reads for pages and logs, on a connection of their own: never in the way of `append`. */
  readonly reader: StoreReader;

  /**
   * Makes events and the deliveries they owe durable, in one atomic step per event; resolves after the fsync.
   * Calls that arrive together share one commit. Leases for what may go at once are granted in that same step
   * and come out of `claim`.
   * @returns one result per event, in order.
   * @throws STORE_UNAVAILABLE at once when too much waits already; nothing of this call was stored then.
   */
  append(events: readonly NewEvent[]): Promise<AppendResult[]>;

  /**
   * Adds debts to events that are stored already (what an endpoint missed), in one atomic step. Where that endpoint
   * has a delivery of that event: one that is over, or FAILED, begins anew in a new generation if `again` is set,
   * any other is left alone. None for an event that is gone.
   * @returns how many were made or begun anew.
   */
  owe(debts: readonly Debt[], options?: { again?: boolean }): Promise<number>;

  /**
   * The leases granted to this worker, as they are granted. At most `maxInFlight` are out at a time; settling one
   * makes room. When the signal aborts no more are granted, and those that are out stay good until they are
   * settled or run out (draining); leaving the iteration hands all of them back at once.
   */
  claim(claim: Claim): AsyncIterable<readonly Lease[]>;

  /**
   * Settles leases: the attempt that was made, what becomes of the delivery, and the events this causes, in one
   * atomic step per settlement, with the next commit. Callers on the hot path do not await it.
   * @returns per settlement `stale` where the lease was no longer the holder's: then nothing was changed.
   */
  record(settlements: readonly Settlement[]): Promise<('recorded' | 'stale')[]>;

  /** Prolongs leases to `leaseMs` from now. @returns per lease whether it was still held. */
  renew(leases: readonly LeaseRef[], leaseMs: number): Promise<boolean[]>;

  /** A person's wish for one delivery; never touches one that is being sent. */
  amend(amendment: Amendment): Promise<AmendResult>;

  /** Tells the lanes of these endpoints how they may run. Takes effect for the next grant; durable. */
  setLanes(lanes: readonly LaneSettings[]): Promise<void>;

  /** How the lanes of these endpoints stand, in the order asked. */
  laneStates(endpointIds: readonly string[]): Promise<LaneState[]>;

  /** Sets (replacing one of the same key) and cancels durable timers, in one atomic step. */
  changeTimers(changes: readonly TimerChange[]): Promise<void>;

  /**
   * Timers as they fall due, each handed to exactly one claimant in the whole installation and gone with that:
   * a claimant that must not lose one sets it again, under the same key, before it acts.
   */
  dueTimers(signal: AbortSignal): AsyncIterable<readonly Timer[]>;

  /**
   * Everything that happens after `after`, in order, without gap or duplicate: first what is stored, then live.
   * `after: null` begins with what is committed from now on. A slow reader costs a cursor, not a queue.
   * @throws CURSOR_EXPIRED (from the iteration) with the oldest cursor that is still there.
   */
  tail(after: Cursor | null, signal: AbortSignal): AsyncIterable<readonly JournalEntry[]>;

  /** Resolves when everything that was handed in before is durable, or has failed. */
  flush(): Promise<void>;

  /** The place of the newest committed change. */
  head(): Promise<Cursor>;

  /**
   * Forgets a slice of events received before `before` (Unix ms) with their deliveries and attempts; never one
   * with an open delivery. Ids stay known for `rememberIdsMs` whatever `before` says.
   * @returns how many events went; fewer than `limit` means that there is nothing left to do.
   */
  prune(options: { before: number; rememberIdsMs: number; limit: number }): Promise<number>;

  /** Finishes what was handed in, then closes. */
  close(): Promise<void>;
}

/** An event to be stored, with what it owes. */
export interface NewEvent {
  event: Event;
  deliveries: readonly NewDelivery[];
  /** Meant for one endpoint only: not part of `events` lists and streams. @default false */
  direct?: boolean;
  /**
   * Where the id was derived from the bytes and nothing else tells two events apart: an equal id counts as a
   * duplicate for this long only, then as a new event whose id gets the time appended. @default for ever
   */
  duplicateWindowMs?: number;
}

/** The pool of everything the gateway delivers itself; a flow's pool is its endpoint's id. */
export const PUSH_POOL = 'push';

/** One debt: this event is owed to this endpoint. */
export interface NewDelivery {
  endpointId: string;
  /** Who may claim it: `push` for what the gateway delivers itself, the endpoint's id for a flow. */
  pool: string;
  /** Unix ms before which it must not go. */
  dueAt: number;
  /**
   * FIFO key within the endpoint: it goes only when every earlier one of its key has freed it (`freesKey`).
   * null for unordered.
   */
  orderKey: string | null;
  /** With an order key: what waits with the same key is SUPERSEDED by this one; what is being sent is not. @default false */
  supersedes?: boolean;
  /** HELD with a reason where it must not go yet (a filter that raised an error). */
  status: 'PENDING' | 'HELD';
  reason: string | null;
  /** Opaque JSON text that travels with the delivery and comes back with its result; at most 64 KiB. */
  context: string | null;
}

export interface Debt {
  eventId: string;
  deliveries: readonly NewDelivery[];
}

export type AppendResult =
  | { kind: 'accepted'; id: string; cursor: Cursor; deliveryIds: string[] }
  | { kind: 'duplicate'; id: string };

/** Stored statuses. SENDING is derived from the lease, HELD also from the lane. */
export type DeliveryStatus =
  | 'PENDING'
  | 'RETRYING'
  | 'HELD'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'EXHAUSTED'
  | 'REJECTED'
  | 'EXPIRED'
  | 'SUPERSEDED'
  | 'CANCELLED';

export interface Claim {
  pool: string;
  /** Names the claimant in logs and the lease. */
  worker: string;
  /** At least 1. */
  maxInFlight: number;
  /** How long a lease lasts unless renewed. */
  leaseMs: number;
  signal: AbortSignal;
}

export interface LeaseRef {
  deliveryId: string;
  /** Fencing token: larger for every later lease. */
  token: number;
}

export interface Lease extends LeaseRef {
  endpointId: string;
  /** Unix ms. */
  expiresAt: number;
  /** Number this attempt will have, from 1, counted over all generations. */
  attemptNumber: number;
  /** 0 for the first run; each replay or manual retry begins a new one. */
  generation: number;
  /** Schedule steps used up in this generation. */
  step: number;
  orderKey: string | null;
  createdAt: number;
  context: string | null;
  /** Unix ms since when this endpoint has had nothing but failures; null while it is well. */
  failingSince: number | null;
  event: Event;
}

export type AttemptOutcome =
  | 'SUCCESS'
  | 'DNS'
  | 'CONNECT'
  | 'TLS'
  | 'TIMEOUT'
  | 'HTTP_STATUS'
  | 'REDIRECT'
  | 'AUTH'
  | 'REFUSED_BY_POLICY'
  /** A flow reported that it failed. */
  | 'FLOW_ERROR'
  | 'UNKNOWN';

/** One try, as it was. Header maps are JSON text; bodies are bounded by the sender. */
export interface NewAttempt {
  startedAt: number;
  durationMs: number | null;
  outcome: AttemptOutcome;
  statusCode: number | null;
  requestHeaders: string | null;
  /** null: the event's body. */
  requestBody: string | null;
  responseHeaders: string | null;
  responseBody: string | null;
  error: { code: string; message: string } | null;
}

export interface Settlement extends LeaseRef {
  /** null: nothing was tried (work handed back). */
  attempt: NewAttempt | null;
  status: DeliveryStatus;
  /** When it is due again, Unix ms; null: nothing further happens by itself. */
  dueAt: number | null;
  step: number;
  /** Stable code of why it stands where it stands. */
  reason: string | null;
  /** Lets the next one of its order key go. @default true where nothing further happens by itself */
  freesKey?: boolean;
  /** What the attempt says about the receiver: it slows the endpoint, opens or closes its circuit. @default nothing */
  sign?: ReceiverSign | null;
  /** Events this causes (a result for a flow, an operational event): appended in the same atomic step. */
  causes: readonly NewEvent[];
}

export interface Amendment {
  deliveryId: string;
  /** `retry`: due now, schedule begun anew in a new generation. `cancel`: nothing further happens. */
  action: 'retry' | 'cancel';
}

/** `in_progress`: it is being sent right now. `final`: cancelling what is over already. */
export type AmendResult = 'amended' | 'not_found' | 'in_progress' | 'final';

export interface LaneSettings {
  endpointId: string;
  /** Nothing is granted; what is owed waits as HELD. */
  held: boolean;
  /** Deliveries in flight at a time. */
  maxConcurrency: number;
  /** @default null: no limit */
  ratePerSecond?: number | null;
}

export interface LaneState extends GateState, ReceiverHealth {
  endpointId: string;
}

export type TimerChange = { key: string; dueAt: number; payload: string } | { key: string; dueAt: null };

export interface Timer {
  key: string;
  dueAt: number;
  /** Opaque JSON text. */
  payload: string;
}
