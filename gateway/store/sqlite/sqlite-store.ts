import type { Clock } from '../../clock.ts';
import { HooklineError } from '../../errors.ts';
import type { Event } from '../../events/event.ts';
import { cursorExpired, formatCursor, parseCursor, type Cursor, type JournalEntry } from '../journal.ts';
import { PushQueue } from '../push-queue.ts';
import type { CommitResult, RecordChange, RecordNotice, RecordStore, StoredRecord } from '../records.ts';
import type { StoreReader } from '../store-reader.ts';
import type {
  AmendResult,
  Amendment,
  AppendResult,
  Claim,
  Debt,
  LaneSettings,
  LaneState,
  Lease,
  LeaseRef,
  NewEvent,
  Settlement,
  Store,
  Timer,
  TimerChange,
} from '../store.ts';
import { SqliteJournal } from './sqlite-journal.ts';
import type { AppendOutcome, Batch, BatchResult, Grant, ReadRequest, Task } from './sqlite-protocol.ts';
import { createSqliteReader } from './sqlite-store-reader.ts';
import { formatDeliveryId, parseDeliveryId } from '../delivery-id.ts';
import { SqliteThread } from './sqlite-thread.ts';

export interface SqliteStoreOptions {
  /** The database file; made where it is missing. */
  path: string;
  clock: Clock;
  /**
   * Events that may wait for a commit; one more is refused with STORE_UNAVAILABLE.
   * @default 8192
   */
  maxWaitingEvents?: number;
  /** Their bytes together. @default 64 MiB */
  maxWaitingBytes?: number;
}

/** One commit takes at most this many events: the first of them should not wait for the last too long. */
const EVENTS_PER_COMMIT = 1024;
const SETTLEMENT_RETRY_MS = 1000;

interface Waiting<Input, Output> {
  input: Input;
  promise: Promise<Output>;
  resolve: (output: Output) => void;
  reject: (error: Error) => void;
}

/**
 * The embedded adapter: a writer thread that commits in groups, a reader thread, and this face, which gathers
 * what arrives while a commit is on its way into the next one.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store & RecordStore> {
  const writer = new SqliteThread<{ epoch: string; head: number }>(options.path, 'writer');
  const { epoch, head } = await writer.ready;
  const reader = new SqliteThread<null>(options.path, 'reader');
  await reader.ready;
  return new SqliteStore(options, writer, reader, epoch, head);
}

class SqliteStore implements Store, RecordStore {
  readonly epoch: string;
  readonly reader: StoreReader;
  readonly #clock: Clock;
  readonly #maxWaitingEvents: number;
  readonly #maxWaitingBytes: number;
  readonly #writerThread: SqliteThread<unknown>;
  readonly #readerThread: SqliteThread<unknown>;
  readonly #journal: SqliteJournal;
  #appends: Waiting<NewEvent, AppendOutcome>[] = [];
  #waitingBytes = 0;
  #settlements: Waiting<Settlement, 'recorded' | 'stale'>[] = [];
  #tasks: Waiting<Task, unknown>[] = [];
  #busy = false;
  #scheduled = false;
  #idle: (() => void)[] = [];
  #closing = false;
  readonly #claims = new Map<number, PushQueue<readonly Lease[]>>();
  #nextClaimId = 1;
  readonly #leases = new Map<number, { claimId: number; token: number; expiresAt: number }>();
  readonly #timerQueues = new Set<PushQueue<readonly Timer[]>>();
  readonly #watchers = new Set<{
    collections: ReadonlySet<string>;
    queue: PushQueue<readonly RecordNotice[]>;
  }>();
  #cancelWake = (): void => {};
  #cancelTimerWake = (): void => {};

  constructor(
    options: SqliteStoreOptions,
    writer: SqliteThread<unknown>,
    reader: SqliteThread<unknown>,
    epoch: string,
    head: number,
  ) {
    this.epoch = epoch;
    this.#clock = options.clock;
    this.#maxWaitingEvents = options.maxWaitingEvents ?? 8192;
    this.#maxWaitingBytes = options.maxWaitingBytes ?? 64 * 1024 * 1024;
    this.#writerThread = writer;
    this.#readerThread = reader;
    const read = <Result>(request: ReadRequest): Promise<Result> =>
      this.#readerThread.call<Result>({ request });
    this.#journal = new SqliteJournal(epoch, head, (request) => read(request));
    this.reader = createSqliteReader({
      epoch,
      read,
      now: () => this.#clock.now(),
      leased: () => this.#leased(),
      parseCursor: (cursor) => parseCursor(epoch, cursor, formatCursor(epoch, 0)),
    });
  }

  async append(events: readonly NewEvent[]): Promise<AppendResult[]> {
    let bytes = 0;
    for (const { event } of events) bytes += event.body.length + (event.raw?.length ?? 0);
    if (this.#closing)
      throw new HooklineError('STORE_UNAVAILABLE', 'The store is closing; send it again after the restart.');
    if (
      this.#appends.length + events.length > this.#maxWaitingEvents ||
      this.#waitingBytes + bytes > this.#maxWaitingBytes
    ) {
      throw new HooklineError(
        'STORE_UNAVAILABLE',
        'More events arrive than the store can take; send it again later.',
      );
    }
    this.#waitingBytes += bytes;
    const outcomes = await Promise.all(events.map((input) => this.#wait(this.#appends, input)));
    return outcomes.map((outcome) => this.#toAppendResult(outcome));
  }

  claim(claim: Claim): AsyncIterable<readonly Lease[]> {
    const id = this.#nextClaimId++;
    const { pool, maxInFlight, leaseMs, signal } = claim;
    const queue = new PushQueue<readonly Lease[]>((by) => this.#endClaim(id, by));
    this.#claims.set(id, queue);
    // Not awaited: a failure to open shows itself as an iteration that ends with the error.
    this.#runTask({ kind: 'open-claim', claim: { id, pool, maxInFlight, leaseMs } }).catch((error: unknown) =>
      queue.close(error),
    );
    if (signal.aborted) queue.close();
    else signal.addEventListener('abort', () => queue.close(), { once: true });
    return queue;
  }

  record(settlements: readonly Settlement[]): Promise<('recorded' | 'stale')[]> {
    return Promise.all(settlements.map((input) => this.#wait(this.#settlements, input)));
  }

  renew(leases: readonly LeaseRef[], leaseMs: number): Promise<boolean[]> {
    return this.#runTask<boolean[]>({ kind: 'renew', leases, leaseMs }).then((held) => {
      const expiresAt = this.#clock.now() + leaseMs;
      for (const [index, { deliveryId }] of leases.entries()) {
        const lease = held[index] ? this.#leases.get(parseDeliveryId(deliveryId) ?? -1) : undefined;
        if (lease) lease.expiresAt = expiresAt;
      }
      return held;
    });
  }

  amend(amendment: Amendment): Promise<AmendResult> {
    return this.#runTask({ kind: 'amend', amendment });
  }

  async setLanes(lanes: readonly LaneSettings[]): Promise<void> {
    if (lanes.length > 0) await this.#runTask({ kind: 'set-lanes', lanes });
  }

  laneStates(endpointIds: readonly string[]): Promise<LaneState[]> {
    return this.#runTask({ kind: 'lane-states', endpointIds });
  }

  owe(debts: readonly Debt[], { again = false }: { again?: boolean } = {}): Promise<number> {
    return this.#runTask({ kind: 'owe', debts, again });
  }

  async changeTimers(changes: readonly TimerChange[]): Promise<void> {
    if (changes.length > 0) await this.#runTask({ kind: 'change-timers', changes });
  }

  dueTimers(signal: AbortSignal): AsyncIterable<readonly Timer[]> {
    const queue: PushQueue<readonly Timer[]> = new PushQueue(() => this.#timerQueues.delete(queue));
    this.#timerQueues.add(queue);
    if (signal.aborted) queue.close();
    else signal.addEventListener('abort', () => queue.close(), { once: true });
    this.#takeTimers();
    return queue;
  }

  tail(after: Cursor | null, signal: AbortSignal): AsyncIterable<readonly JournalEntry[]> {
    try {
      if (after === null) return this.#journal.follow(null, signal);
      const newest = formatCursor(this.epoch, this.#journal.head);
      const seq = parseCursor(this.epoch, after, newest);
      // A place that was never given: it would wait for what has happened already.
      if (seq > this.#journal.head) throw cursorExpired(newest);
      return this.#journal.follow(seq, signal);
    } catch (error) {
      const refused = new PushQueue<readonly JournalEntry[]>();
      refused.close(error);
      return refused;
    }
  }

  async flush(): Promise<void> {
    // Appends are taken in the order they came, a batch at a time: the last one of now is the barrier.
    const last = this.#appends.at(-1);
    if (last) await last.promise.catch(() => {});
    await this.#runTask({ kind: 'renew', leases: [], leaseMs: 1 });
  }

  head(): Promise<Cursor> {
    return Promise.resolve(formatCursor(this.epoch, this.#journal.head));
  }

  prune(options: { before: number; rememberIdsMs: number; limit: number }): Promise<number> {
    return this.#runTask({ kind: 'prune', ...options });
  }

  get<Value>(collection: string, id: string): Promise<StoredRecord<Value> | null> {
    return this.#readerThread.call({ request: { kind: 'record', collection, id } satisfies ReadRequest });
  }

  list<Value>(collection: string): Promise<StoredRecord<Value>[]> {
    return this.#readerThread.call({ request: { kind: 'records', collection } satisfies ReadRequest });
  }

  async commit(changes: readonly RecordChange[]): Promise<CommitResult> {
    return this.#runTask<CommitResult>({ kind: 'commit-records', changes });
  }

  watch(collections: readonly string[], signal: AbortSignal): AsyncIterable<readonly RecordNotice[]> {
    const queue = new PushQueue<readonly RecordNotice[]>(() => this.#watchers.delete(watcher));
    const watcher = { collections: new Set(collections), queue };
    this.#watchers.add(watcher);
    if (signal.aborted) queue.close();
    else signal.addEventListener('abort', () => queue.close(), { once: true });
    return queue;
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    for (const queue of this.#claims.values()) queue.close();
    for (const queue of this.#timerQueues) queue.close();
    for (const { queue } of this.#watchers) queue.close();
    this.#journal.close();
    this.#cancelWake();
    this.#cancelTimerWake();
    await this.#whenIdle();
    await this.#readerThread.close();
    await this.#writerThread.close();
  }

  #wait<Input, Output>(list: Waiting<Input, Output>[], input: Input): Promise<Output> {
    const { promise, resolve, reject } = Promise.withResolvers<Output>();
    list.push({ input, resolve, reject, promise });
    this.#schedule();
    return promise;
  }

  #runTask<Result>(task: Task): Promise<Result> {
    return this.#wait(this.#tasks, task).then((outcome) => {
      if (isFailure(outcome)) throw unavailable(outcome.failure);
      return outcome as Result;
    });
  }

  /** Requests that arrive in one turn of the event loop share a commit. */
  #schedule(): void {
    if (this.#busy || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#busy) void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const appends = this.#appends.splice(0, EVENTS_PER_COMMIT);
    const settlements = this.#settlements;
    const tasks = this.#tasks;
    this.#settlements = [];
    this.#tasks = [];
    for (const { input } of appends)
      this.#waitingBytes -= input.event.body.length + (input.event.raw?.length ?? 0);
    this.#busy = true;
    const batch: Batch = {
      now: this.#clock.now(),
      appends: appends.map(({ input }) => input),
      settlements: settlements.map(({ input }) => input),
      tasks: tasks.map(({ input }) => input),
      wantJournal: this.#journal.isFollowed,
    };
    try {
      const result = await this.#writerThread.call<BatchResult>({ batch });
      this.#applyResult(batch, result);
      for (const [index, { resolve }] of appends.entries()) resolve(result.appends[index]!);
      this.#answerSettlements(settlements, result);
      for (const [index, { input, resolve }] of tasks.entries()) {
        this.#afterTask(input, result.tasks[index]);
        resolve(result.tasks[index]);
      }
    } catch (error) {
      for (const { reject } of [...appends, ...settlements, ...tasks]) reject(error as Error);
    }
    this.#busy = false;
    if (this.#appends.length + this.#settlements.length + this.#tasks.length > 0) void this.#flush();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  #applyResult(batch: Batch, result: BatchResult): void {
    const eventAt = (index: number): Event => {
      const outcome = result.appends[index]!;
      return ('event' in outcome && outcome.event) || batch.appends[index]!.event;
    };
    this.#journal.extend(result.head, result.journal, eventAt);
    this.#handOut(result.grants, eventAt);
    this.#cancelWake();
    if (result.wakeAt !== null && !this.#closing) {
      this.#cancelWake = this.#clock.wakeAt(result.wakeAt, () => this.#schedulePump());
    }
    this.#cancelTimerWake();
    if (result.timerAt !== null && !this.#closing && this.#timerQueues.size > 0) {
      this.#cancelTimerWake = this.#clock.wakeAt(result.timerAt, () => this.#takeTimers());
    }
  }

  /** An empty batch: the writer looks what falls due now. */
  #schedulePump(): void {
    if (!this.#busy) void this.#flush();
  }

  #handOut(grants: readonly Grant[], eventAt: (index: number) => Event): void {
    const byClaim = new Map<number, Lease[]>();
    for (const grant of grants) {
      this.#leases.set(grant.seq, { claimId: grant.claimId, token: grant.token, expiresAt: grant.expiresAt });
      const lease = toLease(grant, eventAt);
      const leases = byClaim.get(grant.claimId);
      if (leases) leases.push(lease);
      else byClaim.set(grant.claimId, [lease]);
    }
    for (const [claimId, leases] of byClaim) this.#claims.get(claimId)?.push(leases);
  }

  #answerSettlements(settlements: Waiting<Settlement, 'recorded' | 'stale'>[], result: BatchResult): void {
    for (const [index, waiting] of settlements.entries()) {
      const outcome = result.settlements[index]!;
      if (outcome === 'failed') {
        // What was tried must not be forgotten because the disk was full for a moment.
        this.#clock.wakeAt(this.#clock.now() + SETTLEMENT_RETRY_MS, () => {
          this.#settlements.push(waiting);
          this.#schedule();
        });
        continue;
      }
      const seq = parseDeliveryId(waiting.input.deliveryId) ?? -1;
      if (this.#leases.get(seq)?.token === waiting.input.token) this.#leases.delete(seq);
      waiting.resolve(outcome);
    }
  }

  #afterTask(task: Task, outcome: unknown): void {
    if (task.kind !== 'commit-records' || isFailure(outcome)) return;
    const result = outcome as CommitResult;
    if (result.kind !== 'committed') return;
    for (const { collections, queue } of this.#watchers) {
      const notices = task.changes
        .map(({ collection, id, value }, index) => ({
          collection,
          id,
          value,
          version: result.versions[index]!,
        }))
        .filter(({ collection }) => collections.has(collection));
      if (notices.length > 0) queue.push(notices);
    }
  }

  /** A claimant that was told to stop keeps what it holds; one that leaves gives it back. */
  #endClaim(id: number, by: 'feeder' | 'consumer'): void {
    this.#claims.delete(id);
    if (by === 'consumer') {
      for (const [seq, lease] of this.#leases) if (lease.claimId === id) this.#leases.delete(seq);
    }
    // On a closing store the leases end with the writer anyway.
    if (!this.#closing)
      void this.#runTask({ kind: 'end-claim', id, handBack: by === 'consumer' }).catch(() => {});
  }

  #takeTimers(): void {
    this.#runTask<Timer[]>({ kind: 'due-timers' }).then(
      (timers) => {
        const [queue] = this.#timerQueues;
        if (timers.length > 0) queue?.push(timers);
      },
      () => {},
    );
  }

  #toAppendResult(outcome: AppendOutcome): AppendResult {
    if ('failure' in outcome) throw unavailable(outcome.failure);
    if ('duplicateOf' in outcome) return { kind: 'duplicate', id: outcome.duplicateOf };
    return {
      kind: 'accepted',
      id: outcome.id,
      cursor: formatCursor(this.epoch, outcome.seq),
      deliveryIds: outcome.deliverySeqs.map(formatDeliveryId),
    };
  }

  #leased(): number[] {
    const now = this.#clock.now();
    const seqs: number[] = [];
    for (const [seq, lease] of this.#leases) {
      if (lease.expiresAt > now) seqs.push(seq);
      else this.#leases.delete(seq);
    }
    return seqs;
  }

  #whenIdle(): Promise<void> {
    if (!this.#busy && !this.#scheduled) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }
}

function toLease(grant: Grant, eventAt: (index: number) => Event): Lease {
  const { seq, attempts, claimId: _claimId, ...rest } = grant;
  return {
    ...rest,
    deliveryId: formatDeliveryId(seq),
    attemptNumber: attempts + 1,
    event: typeof grant.event === 'number' ? eventAt(grant.event) : grant.event,
  };
}

function isFailure(outcome: unknown): outcome is { failure: string } {
  return typeof outcome === 'object' && outcome !== null && 'failure' in outcome;
}

function unavailable(reason: string): HooklineError {
  return new HooklineError(
    'STORE_UNAVAILABLE',
    `The store could not keep it (${reason}); send it again later.`,
  );
}
