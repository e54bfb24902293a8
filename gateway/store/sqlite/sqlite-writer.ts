import type { DatabaseSync } from 'node:sqlite';
import type { Event } from '../../events/event.ts';
import type { ReceiverSign } from '../endpoint-gate.ts';
import type { NewDelivery, NewEvent, Settlement } from '../store.ts';
import { NameTable, openDatabase, prepareSql } from './sqlite-database.ts';
import { DEFAULT_MAX_CONCURRENCY, Lanes, type HeldLease, type Place } from './sqlite-lanes.ts';
import type { AppendOutcome, Batch, BatchResult, Grant, JournalItem, Task } from './sqlite-protocol.ts';
import { parseDeliveryId } from '../delivery-id.ts';
import {
  ATTEMPTS_PER_DELIVERY,
  FLAG_DIRECT,
  FLAG_TEST,
  statusNumber,
  toDelivery,
  toEvent,
  type DeliveryColumns,
  type EventColumns,
} from './sqlite-rows.ts';
import { EventTable } from './sqlite-event-table.ts';
import { WriterTasks, type DeliveryChange } from './sqlite-writer-tasks.ts';

/** A new row whose lease or place in its lane is settled once the commit has held. */
interface NewRow {
  seq: number;
  endpointNo: number;
  endpointId: string;
  pool: string;
  dueAt: number | null;
  /** An earlier one of its key comes first. */
  waits: boolean;
  createdAt: number;
  orderKey: string | null;
  context: string | null;
  /** Index into the batch's appends, or the event where a settlement caused it. */
  event: number | Event;
}

type PendingEntry =
  | { seq: number; at: number; event: number | Event }
  | { seq: number; at: number; deliverySeq: number };

/**
 * The one writer: takes a batch, makes one commit of it, then grants what may go. Synchronous and without a
 * clock; `sqlite-worker.ts` runs it in a thread. Lanes and leases change only after the commit has held.
 */
export class SqliteWriter {
  readonly #database: DatabaseSync;
  readonly #names: NameTable;
  readonly #events: EventTable;
  readonly #lanes: Lanes;
  readonly #tasks: WriterTasks;
  readonly #sql;
  #seq: number;
  #committed: (() => void)[] = [];
  readonly #afterCommit = (apply: () => void): void => void this.#committed.push(apply);
  /** Endpoints whose health is not written yet. */
  readonly #changedHealth = new Set<number>();
  #newRows: NewRow[] = [];
  #journal: PendingEntry[] = [];
  #lastFailure = '';
  /** Deliveries settled in this batch: their leases end after the commit, a second settlement comes too late. */
  readonly #settled = new Set<number>();

  constructor(path: string) {
    const database = openDatabase(path, 'writer');
    this.#database = database;
    this.#names = new NameTable(database, 'writer');
    this.#events = new EventTable(database, this.#names);
    this.#sql = {
      insertDelivery: prepareSql(database, 'insert-delivery'),
      settleDelivery: prepareSql(database, 'settle-delivery'),
      keyIsTaken: prepareSql(database, 'key-is-taken'),
      setHealth: database.prepare(
        'INSERT OR REPLACE INTO health (endpoint_no, failures_in_row, failing_since, last_success_at) VALUES (?, ?, ?, ?)',
      ),
      insertChange: prepareSql(database, 'insert-change'),
      insertAttempt: prepareSql(database, 'insert-attempt'),
      dueInLane: prepareSql(database, 'due-in-lane'),
      leaseRow: prepareSql(database, 'lease-row'),
      deliveryRow: prepareSql(database, 'delivery-row'),
      setPool: database.prepare(
        `INSERT INTO lanes (endpoint_no, pool, held, max_concurrency) VALUES (?, ?, 0, ${DEFAULT_MAX_CONCURRENCY}) ON CONFLICT DO UPDATE SET pool = excluded.pool`,
      ),
      eventRow: prepareSql(database, 'event-row'),
      findDebt: database.prepare(
        'SELECT seq FROM deliveries WHERE event_seq = ? AND endpoint_no = ? LIMIT 1',
      ),
      begin: database.prepare('BEGIN IMMEDIATE'),
      commit: database.prepare('COMMIT'),
      setFloor: database.prepare(`UPDATE meta SET value = ? WHERE key = 'floor'`),
      nextTimer: database.prepare('SELECT MIN(due_at) AS due_at FROM timers'),
    };
    const leaseEpoch = database
      .prepare(`UPDATE meta SET value = value + 1 WHERE key = 'lease_epoch' RETURNING value`)
      .get() as { value: number };
    this.#lanes = new Lanes(
      (no, lane, after, limit) =>
        (
          this.#sql.dueInLane.all(no, lane, after.dueAt, after.seq, limit) as {
            due_at: number;
            seq: number;
          }[]
        ).map((row): Place => ({ dueAt: row.due_at, seq: row.seq })),
      leaseEpoch.value * 2 ** 32,
    );
    this.#seq = this.#lastSeq();
    this.#tasks = new WriterTasks(database, this.#names, this.#lanes, (deliverySeq, at, row) =>
      this.#insertChange(deliverySeq, at, row),
    );
    this.#tasks.loadLanes();
  }

  get epoch(): string {
    return (this.#database.prepare(`SELECT value FROM meta WHERE key = 'epoch'`).get() as { value: string })
      .value;
  }

  get head(): number {
    return this.#seq;
  }

  run(batch: Batch): BatchResult {
    const result = this.#commitTogether(batch) ?? this.#commitOneByOne(batch);
    const grants = this.#settleNewRows(batch);
    for (const lease of this.#lanes.grantDue(batch.now)) grants.push(this.#readGrant(lease));
    const journal = batch.wantJournal ? this.#journal.map((entry) => this.#describe(entry)) : null;
    this.#journal = [];
    this.#settled.clear();
    const wakeAt = this.#lanes.wakeAt(batch.now);
    const timerAt = (this.#sql.nextTimer.get() as { due_at: number | null }).due_at;
    return {
      ...result,
      grants,
      journal,
      head: this.#seq,
      wakeAt: wakeAt === Infinity ? null : wakeAt,
      timerAt,
    };
  }

  /** Copies what is committed into the file, so that the log beside it can begin anew. */
  checkpoint(): void {
    this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)');
  }

  close(): void {
    this.#transaction(() => this.#writeHealth());
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#database.close();
  }

  #commitTogether(batch: Batch): Pick<BatchResult, 'appends' | 'settlements' | 'tasks'> | null {
    return this.#transaction(() => {
      this.#writeHealth();
      this.#committed.push(() => this.#changedHealth.clear());
      return {
        appends: batch.appends.map((append, index) => this.#append(append, index)),
        settlements: batch.settlements.map((settlement) => this.#settle(settlement, batch.now)),
        tasks: batch.tasks.map((task) => this.#runTask(task, batch.now)),
      };
    });
  }

  /** Something in the batch cannot be stored: whatever it is fails alone. */
  #commitOneByOne(batch: Batch): Pick<BatchResult, 'appends' | 'settlements' | 'tasks'> {
    const failure = { failure: this.#lastFailure };
    return {
      appends: batch.appends.map(
        (append, index): AppendOutcome => this.#transaction(() => this.#append(append, index)) ?? failure,
      ),
      settlements: batch.settlements.map(
        (settlement) => this.#transaction(() => this.#settle(settlement, batch.now)) ?? 'failed',
      ),
      tasks: batch.tasks
        .map((task) => this.#transaction(() => ({ value: this.#runTask(task, batch.now) })) ?? failure)
        .map((outcome) => ('value' in outcome ? outcome.value : outcome)),
    };
  }

  #transaction<Result>(work: () => Result): Result | null {
    const seq = this.#seq;
    const rowCount = this.#newRows.length;
    const changeCount = this.#journal.length;
    this.#committed = [];
    let result: Result;
    try {
      this.#sql.begin.run();
      result = work();
      this.#sql.commit.run();
    } catch (error) {
      this.#lastFailure = error instanceof Error ? error.message : String(error);
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#names.forget();
      this.#settled.clear();
      this.#seq = seq;
      this.#newRows.length = rowCount;
      this.#journal.length = changeCount;
      return null;
    }
    for (const apply of this.#committed) apply();
    return result;
  }

  #append(append: NewEvent, eventRef: number | Event): AppendOutcome {
    const seq = this.#seq + 1;
    const outcome = this.#events.insert(append, seq);
    if ('duplicateOf' in outcome) return outcome;
    this.#seq = seq;
    const event = outcome.inserted;
    const renamed = event === append.event ? null : event;
    const ref = renamed ?? eventRef;
    if (!append.direct) this.#journal.push({ seq, at: event.receivedAt, event: ref });
    const typeNo = this.#names.numberOf(event.type);
    const flags = (event.test ? FLAG_TEST : 0) | (append.direct ? FLAG_DIRECT : 0);
    const deliverySeqs = append.deliveries.map((delivery) =>
      this.#insertDelivery(delivery, { seq, typeNo, flags, at: event.receivedAt, ref }),
    );
    return { seq, id: event.id, deliverySeqs, event: renamed };
  }

  #insertDelivery(
    delivery: NewDelivery,
    event: { seq: number; typeNo: number; flags: number; at: number; ref: number | Event },
  ): number {
    const { endpointId, pool, orderKey, context } = delivery;
    const endpointNo = this.#names.numberOf(endpointId);
    if (this.#lanes.poolOf(endpointNo) === null) this.#sql.setPool.run(endpointNo, pool);
    const dueAt = delivery.status === 'HELD' ? null : delivery.dueAt;
    if (delivery.supersedes && orderKey !== null) this.#tasks.supersede(endpointNo, orderKey, event.at);
    // After what it supersedes: the journal runs in the order of its numbers.
    const seq = ++this.#seq;
    const orderState =
      dueAt === null || orderKey === null ? 0 : this.#sql.keyIsTaken.get(endpointNo, orderKey) ? 2 : 1;
    this.#sql.insertDelivery.run(
      seq,
      event.seq,
      endpointNo,
      event.typeNo,
      statusNumber(delivery.status),
      dueAt,
      event.flags,
      event.at,
      orderKey,
      orderState,
      delivery.reason,
      context,
    );
    this.#newRows.push({
      seq,
      endpointNo,
      endpointId,
      pool,
      dueAt,
      waits: orderState === 2,
      orderKey,
      context,
      event: event.ref,
      createdAt: event.at,
    });
    this.#journal.push({ seq, at: event.at, deliverySeq: seq });
    return seq;
  }

  #settle(settlement: Settlement, now: number): 'recorded' | 'stale' {
    const seq = parseDeliveryId(settlement.deliveryId);
    const lease = seq === null ? undefined : this.#lanes.lease(seq);
    if (!lease || seq === null || lease.token !== settlement.token || this.#settled.has(seq)) return 'stale';
    this.#settled.add(seq);
    const { attempt, dueAt, freesKey = dueAt === null } = settlement;
    const lane = attempt ? 1 : lease.lane;
    const status = statusNumber(settlement.status);
    const completedAt = dueAt === null && settlement.status !== 'HELD' ? now : null;
    const row = this.#sql.settleDelivery.get(
      status,
      lane,
      dueAt,
      settlement.step,
      attempt ? 1 : 0,
      settlement.reason,
      completedAt,
      freesKey ? 1 : 0,
      seq,
    ) as { attempts: number; generation: number; order_key: string | null };
    if (attempt) {
      this.#sql.insertAttempt.run(
        seq * ATTEMPTS_PER_DELIVERY + Math.min(row.attempts, ATTEMPTS_PER_DELIVERY - 1),
        attempt.startedAt,
        attempt.durationMs,
        attempt.outcome,
        attempt.statusCode,
        attempt.requestHeaders,
        attempt.requestBody,
        attempt.responseHeaders,
        attempt.responseBody,
        attempt.error?.code ?? null,
        attempt.error?.message ?? null,
      );
    }
    // Work that was only handed back changed nothing that anybody sees.
    if (attempt || dueAt === null) {
      const { attempts, generation } = row;
      const { step, reason } = settlement;
      this.#insertChange(seq, now, { attempts, generation, status, step, dueAt, completedAt, reason });
    }
    for (const cause of settlement.causes) this.#append(cause, cause.event);
    if (freesKey && row.order_key !== null) {
      this.#tasks.freeKey(lease.endpointNo, row.order_key, now, this.#afterCommit);
    }
    this.#committed.push(() => {
      this.#lanes.release(seq, settlement.token);
      if (settlement.sign) this.#noteSign(lease.endpointNo, settlement.sign, now);
      if (dueAt !== null) this.#lanes.enqueue(lease.endpointNo, lane, { dueAt, seq });
    });
    return 'recorded';
  }

  #noteSign(endpointNo: number, sign: ReceiverSign, now: number): void {
    const gate = this.#lanes.gate(endpointNo);
    const before = gate.health.failuresInRow;
    gate.noteSign(sign, now);
    if (gate.health.failuresInRow !== before) this.#changedHealth.add(endpointNo);
  }

  /** Rides in the next commit: that a receiver is failing may be learnt again, so no commit waits for it. */
  #writeHealth(): void {
    for (const endpointNo of this.#changedHealth) {
      const { failuresInRow, failingSince, lastSuccessAt } = this.#lanes.gate(endpointNo).health;
      this.#sql.setHealth.run(endpointNo, failuresInRow, failingSince, lastSuccessAt);
    }
  }

  #insertChange(deliverySeq: number, at: number, row: DeliveryChange): void {
    const seq = ++this.#seq;
    this.#sql.insertChange.run(
      seq,
      deliverySeq,
      at,
      row.status,
      row.attempts,
      row.step,
      row.generation,
      row.dueAt,
      row.completedAt,
      row.reason,
    );
    this.#journal.push({ seq, at, deliverySeq });
  }

  #runTask(task: Task, now: number): unknown {
    if (task.kind === 'owe') return this.#owe(task, now);
    const result = this.#tasks.run(task, now, this.#afterCommit);
    // What is forgotten must not make the sequence begin again below it.
    if (task.kind === 'prune') this.#sql.setFloor.run(this.#seq);
    return result;
  }

  /** @returns how many debts were new. */
  #owe({ debts, again }: Extract<Task, { kind: 'owe' }>, now: number): number {
    let made = 0;
    for (const { eventId, deliveries } of debts) {
      const row = this.#sql.eventRow.get(eventId) as unknown as (EventColumns & { seq: number }) | undefined;
      if (!row) continue;
      const source = {
        seq: row.seq,
        typeNo: row.type_no,
        flags: row.flags & FLAG_TEST,
        at: now,
        ref: toEvent(row, this.#names),
      };
      for (const delivery of deliveries) {
        const known = this.#sql.findDebt.get(row.seq, this.#names.numberOf(delivery.endpointId)) as
          | { seq: number }
          | undefined;
        if (known) {
          if (again && this.#tasks.beginAgain(known.seq, delivery.dueAt, now, this.#afterCommit)) made++;
          continue;
        }
        this.#insertDelivery(delivery, source);
        made++;
      }
    }
    return made;
  }

  /** The commit has held: new rows go at once where they may, else they stand in their lane. */
  #settleNewRows(batch: Batch): Grant[] {
    const grants: Grant[] = [];
    for (const row of this.#newRows) {
      this.#lanes.setPool(row.endpointNo, row.pool);
      if (row.dueAt === null || row.waits) continue;
      const place = { dueAt: row.dueAt, seq: row.seq };
      const lease = this.#lanes.tryGrant(row.endpointNo, place, batch.now);
      if (!lease) {
        this.#lanes.enqueue(row.endpointNo, 0, place);
        continue;
      }
      grants.push({
        ...this.#leaseFields(lease),
        endpointId: row.endpointId,
        attempts: 0,
        generation: 0,
        step: 0,
        orderKey: row.orderKey,
        createdAt: row.createdAt,
        context: row.context,
        event: row.event,
      });
    }
    this.#newRows = [];
    return grants;
  }

  #readGrant(lease: HeldLease): Grant {
    const row = this.#sql.leaseRow.get(lease.seq) as unknown as EventColumns & {
      attempts: number;
      generation: number;
      step: number;
      order_key: string | null;
      created_at: number;
      context: string | null;
    };
    return {
      ...this.#leaseFields(lease),
      endpointId: this.#names.nameOf(lease.endpointNo),
      attempts: row.attempts,
      generation: row.generation,
      step: row.step,
      orderKey: row.order_key,
      createdAt: row.created_at,
      context: row.context,
      event: toEvent(row, this.#names),
    };
  }

  #leaseFields(lease: HeldLease): Pick<Grant, 'seq' | 'token' | 'claimId' | 'expiresAt' | 'failingSince'> {
    const { seq, token, claimId, expiresAt, endpointNo } = lease;
    return { seq, token, claimId, expiresAt, failingSince: this.#lanes.gate(endpointNo).health.failingSince };
  }

  #describe(entry: PendingEntry): JournalItem {
    if ('event' in entry) return entry;
    const row = this.#sql.deliveryRow.get(entry.deliverySeq) as unknown as DeliveryColumns;
    return { seq: entry.seq, at: entry.at, delivery: toDelivery(row, this.#names) };
  }

  #lastSeq(): number {
    const row = this.#database
      .prepare(
        `SELECT MAX(COALESCE((SELECT MAX(seq) FROM events), 0), COALESCE((SELECT MAX(seq) FROM deliveries), 0),
           COALESCE((SELECT MAX(seq) FROM changes), 0), (SELECT value FROM meta WHERE key = 'floor')) AS seq`,
      )
      .get() as { seq: number };
    return row.seq;
  }
}
