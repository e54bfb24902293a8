import type { DatabaseSync } from 'node:sqlite';
import type { CommitResult, RecordChange } from '../records.ts';
import type { AmendResult, Amendment, LaneSettings, LaneState, Timer, TimerChange } from '../store.ts';
import { prepareSql, type NameTable } from './sqlite-database.ts';
import type { Lanes } from './sqlite-lanes.ts';
import type { Task } from './sqlite-protocol.ts';
import { parseDeliveryId } from '../delivery-id.ts';
import { ATTEMPTS_PER_DELIVERY, statusNumber } from './sqlite-rows.ts';

/** A delivery's state right after a change, for the journal. */
export interface DeliveryChange {
  status: number;
  attempts: number;
  step: number;
  generation: number;
  dueAt: number | null;
  completedAt: number | null;
  reason: string | null;
}

type AfterCommit = (apply: () => void) => void;
type InsertChange = (deliverySeq: number, at: number, change: DeliveryChange) => void;

const TIMERS_AT_ONCE = 256;
/** What may still happen by itself or is on its way: never forgotten. */
const OPEN = `due_at IS NOT NULL OR status = ${statusNumber('HELD')}`;

/** Everything the writer does beside the hot path: people's wishes, lanes, claims, timers, records, forgetting. */
export class WriterTasks {
  readonly #database: DatabaseSync;
  readonly #names: NameTable;
  readonly #lanes: Lanes;
  readonly #insertChange: InsertChange;
  readonly #sql;

  constructor(database: DatabaseSync, names: NameTable, lanes: Lanes, insertChange: InsertChange) {
    this.#database = database;
    this.#names = names;
    this.#lanes = lanes;
    this.#insertChange = insertChange;
    this.#sql = {
      amend: prepareSql(database, 'amend-delivery'),
      replayable: database.prepare(
        `SELECT endpoint_no FROM deliveries WHERE seq = ? AND ((due_at IS NULL AND status <> ${statusNumber('HELD')}) OR status = ${statusNumber('FAILED')})`,
      ),
      freeKey: prepareSql(database, 'free-key'),
      ofKey: database.prepare(
        'SELECT seq, step FROM deliveries INDEXED BY deliveries_of_key WHERE endpoint_no = ? AND order_key = ? AND order_state > 0',
      ),
      setLane: database.prepare(
        `INSERT INTO lanes (endpoint_no, pool, held, max_concurrency, rate_per_second) VALUES (?, NULL, ?, ?, ?)
         ON CONFLICT DO UPDATE SET held = excluded.held, max_concurrency = excluded.max_concurrency, rate_per_second = excluded.rate_per_second`,
      ),
      setTimer: database.prepare(
        'INSERT INTO timers (key, due_at, payload) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET due_at = excluded.due_at, payload = excluded.payload',
      ),
      cancelTimer: database.prepare('DELETE FROM timers WHERE key = ?'),
      takeTimers: database.prepare(
        `DELETE FROM timers WHERE key IN (SELECT key FROM timers WHERE due_at <= ? ORDER BY due_at LIMIT ${TIMERS_AT_ONCE}) RETURNING key, due_at, payload`,
      ),
      recordVersion: database.prepare('SELECT version FROM records WHERE collection = ? AND id = ?'),
      putRecord: database.prepare(
        `INSERT INTO records (collection, id, version, value, created_at, updated_at) VALUES (?, ?, 1, ?, ?, ?)
         ON CONFLICT (collection, id) DO UPDATE SET version = version + 1, value = excluded.value, updated_at = excluded.updated_at
         RETURNING version`,
      ),
      deleteRecord: database.prepare('DELETE FROM records WHERE collection = ? AND id = ?'),
    };
  }

  run(task: Exclude<Task, { kind: 'owe' }>, now: number, afterCommit: AfterCommit): unknown {
    switch (task.kind) {
      case 'amend':
        return this.#amend(task.amendment, now, afterCommit);
      case 'set-lanes':
        return this.#setLanes(task.lanes, afterCommit);
      case 'lane-states':
        return this.#laneStates(task.endpointIds, now);
      case 'open-claim':
        afterCommit(() => this.#lanes.openClaim(task.claim));
        return null;
      case 'end-claim':
        afterCommit(() => this.#lanes.endClaim(task.id, task.handBack));
        return null;
      case 'renew':
        return task.leases.map(({ deliveryId, token }) => {
          const seq = parseDeliveryId(deliveryId);
          return seq !== null && this.#lanes.renew(seq, token, now + task.leaseMs);
        });
      case 'change-timers':
        return this.#changeTimers(task.changes);
      case 'due-timers':
        return this.#takeTimers(now);
      case 'commit-records':
        return this.#commitRecords(task.changes, now);
      case 'prune':
        return this.#prune(task, now);
    }
  }

  /** At start: the lanes as they were set, and where each one's next due row stands. */
  loadLanes(): void {
    const rows = this.#database
      .prepare('SELECT * FROM lanes LEFT JOIN health USING (endpoint_no)')
      .all() as unknown as LaneColumns[];
    const firstDue = prepareSql(this.#database, 'due-in-lane');
    for (const row of rows) {
      const gate = this.#lanes.gate(row.endpoint_no);
      gate.settings = {
        held: row.held === 1,
        maxConcurrency: row.max_concurrency,
        ratePerSecond: row.rate_per_second,
      };
      gate.health.failuresInRow = row.failures_in_row ?? 0;
      gate.health.failingSince = row.failing_since;
      gate.health.lastSuccessAt = row.last_success_at;
      if (row.pool !== null) this.#lanes.setPool(row.endpoint_no, row.pool);
      for (const lane of [0, 1] as const) {
        const first = firstDue.get(row.endpoint_no, lane, -1, -1, 1) as
          | { due_at: number; seq: number }
          | undefined;
        if (first) this.#lanes.enqueue(row.endpoint_no, lane, { dueAt: first.due_at, seq: first.seq });
      }
    }
  }

  #amend({ deliveryId, action }: Amendment, now: number, afterCommit: AfterCommit): AmendResult {
    const seq = parseDeliveryId(deliveryId);
    const row = this.#database
      .prepare(`SELECT status, step, reason, (${OPEN}) AS open FROM deliveries WHERE seq = ?`)
      .get(seq) as { status: number; step: number; reason: string | null; open: number } | undefined;
    if (!row || seq === null) return 'not_found';
    if (this.#lanes.lease(seq)) return 'in_progress';
    if (action === 'cancel' && row.open === 0) return 'final';
    const retry = action === 'retry';
    const status = statusNumber(retry ? 'PENDING' : 'CANCELLED');
    const dueAt = retry ? now : null;
    const completedAt = retry ? null : now;
    const reason = retry ? 'retried_by_hand' : 'cancelled_by_hand';
    const step = retry ? 0 : row.step;
    const changed = this.#sql.amend.get(status, dueAt, retry ? 1 : 0, step, reason, completedAt, seq) as {
      attempts: number;
      generation: number;
      endpoint_no: number;
      order_key: string | null;
    };
    this.#insertChange(seq, now, { status, step, dueAt, completedAt, reason, ...changed });
    if (dueAt !== null) afterCommit(() => this.#lanes.enqueue(changed.endpoint_no, 1, { dueAt, seq }));
    if (changed.order_key !== null) this.freeKey(changed.endpoint_no, changed.order_key, now, afterCommit);
    return 'amended';
  }

  /** @returns false where it is still running by itself, or being sent. */
  beginAgain(seq: number, dueAt: number, now: number, afterCommit: AfterCommit): boolean {
    const row = this.#sql.replayable.get(seq) as { endpoint_no: number } | undefined;
    if (!row || this.#lanes.lease(seq)) return false;
    const status = statusNumber('PENDING');
    const reason = 'replayed';
    const changed = this.#sql.amend.get(status, dueAt, 1, 0, reason, null, seq) as {
      attempts: number;
      generation: number;
      order_key: string | null;
    };
    const { attempts, generation } = changed;
    this.#insertChange(seq, now, { attempts, generation, status, step: 0, dueAt, completedAt: null, reason });
    afterCommit(() => this.#lanes.enqueue(row.endpoint_no, 1, { dueAt, seq }));
    if (changed.order_key !== null) this.freeKey(row.endpoint_no, changed.order_key, now, afterCommit);
    return true;
  }

  /** A newer one takes the place of what waits with this key, but not of what is being sent. */
  supersede(endpointNo: number, orderKey: string, now: number): void {
    const status = statusNumber('SUPERSEDED');
    const reason = 'newer_one_came';
    for (const { seq, step } of this.#sql.ofKey.all(endpointNo, orderKey) as {
      seq: number;
      step: number;
    }[]) {
      if (this.#lanes.lease(seq)) continue;
      const changed = this.#sql.amend.get(status, null, 0, step, reason, now, seq) as {
        attempts: number;
        generation: number;
      };
      const { attempts, generation } = changed;
      this.#insertChange(seq, now, {
        attempts,
        generation,
        status,
        step,
        dueAt: null,
        completedAt: now,
        reason,
      });
    }
  }

  /** Lets the next one that waits for this key go, where nobody holds the key any more. */
  freeKey(endpointNo: number, orderKey: string, now: number, afterCommit: AfterCommit): void {
    const next = this.#sql.freeKey.get(now, endpointNo, orderKey) as
      | { seq: number; lane: 0 | 1; due_at: number }
      | undefined;
    if (next)
      afterCommit(() => this.#lanes.enqueue(endpointNo, next.lane, { dueAt: next.due_at, seq: next.seq }));
  }

  #laneStates(endpointIds: readonly string[], now: number): LaneState[] {
    return endpointIds.map((endpointId) => {
      const gate = this.#lanes.gate(this.#names.numberOf(endpointId));
      return { endpointId, ...gate.state(now), ...gate.health };
    });
  }

  #setLanes(lanes: readonly LaneSettings[], afterCommit: AfterCommit): null {
    for (const { endpointId, held, maxConcurrency, ratePerSecond = null } of lanes) {
      const settings = { held, maxConcurrency, ratePerSecond };
      const no = this.#names.numberOf(endpointId);
      this.#sql.setLane.run(no, settings.held ? 1 : 0, settings.maxConcurrency, settings.ratePerSecond);
      afterCommit(() => {
        this.#lanes.gate(no).settings = settings;
      });
    }
    return null;
  }

  #changeTimers(changes: readonly TimerChange[]): null {
    for (const change of changes) {
      if (change.dueAt === null) this.#sql.cancelTimer.run(change.key);
      else this.#sql.setTimer.run(change.key, change.dueAt, change.payload);
    }
    return null;
  }

  #takeTimers(now: number): Timer[] {
    const rows = this.#sql.takeTimers.all(now) as { key: string; due_at: number; payload: string }[];
    return rows
      .map((row) => ({ key: row.key, dueAt: row.due_at, payload: row.payload }))
      .sort((a, b) => a.dueAt - b.dueAt);
  }

  #commitRecords(changes: readonly RecordChange[], now: number): CommitResult {
    for (const { collection, id, ifVersion } of changes) {
      if (ifVersion === 'any') continue;
      const version =
        (this.#sql.recordVersion.get(collection, id) as { version: number } | undefined)?.version ?? 0;
      if (version !== ifVersion) return { kind: 'conflict', collection, id, version };
    }
    const versions = changes.map(({ collection, id, value }) => {
      if (value === null) {
        this.#sql.deleteRecord.run(collection, id);
        return 0;
      }
      return (this.#sql.putRecord.get(collection, id, JSON.stringify(value), now, now) as { version: number })
        .version;
    });
    return { kind: 'committed', versions };
  }

  /** Rows up to here were looked at in this pass; those still open are not looked at again before the next. */
  #prunedTo = 0;

  #prune({ before, rememberIdsMs, limit }: Extract<Task, { kind: 'prune' }>, now: number): number {
    const candidates = this.#database.prepare(
      `SELECT seq, received_at, body IS NULL AS bare,
         EXISTS (SELECT 1 FROM deliveries d WHERE d.event_seq = events.seq AND (${OPEN})) AS open
       FROM events WHERE seq > ? ORDER BY seq`,
    );
    const going: number[] = [];
    const bare: number[] = [];
    let reachedEnd = true;
    for (const row of candidates.iterate(this.#prunedTo) as Iterable<PruneCandidate>) {
      if (row.received_at >= before) break;
      if (going.length + bare.length >= limit) {
        reachedEnd = false;
        break;
      }
      this.#prunedTo = row.seq;
      const idStays = row.received_at > now - rememberIdsMs;
      if (row.open === 1 || (row.bare === 1 && idStays)) continue;
      if (idStays) bare.push(row.seq);
      else going.push(row.seq);
    }
    if (reachedEnd) this.#prunedTo = 0;
    this.#forget([...going, ...bare]);
    const keepId = this.#database.prepare('UPDATE events SET body = NULL, raw = NULL WHERE seq = ?');
    for (const seq of bare) keepId.run(seq);
    const forgetEvent = this.#database.prepare('DELETE FROM events WHERE seq = ?');
    for (const seq of going) forgetEvent.run(seq);
    const oldChanges = this.#database
      .prepare(
        'DELETE FROM changes WHERE seq IN (SELECT seq FROM changes WHERE at < ? ORDER BY seq LIMIT ?) RETURNING seq',
      )
      .all(before, limit * 4) as { seq: number }[];
    // Whoever follows the journal from before what is gone now would see a gap.
    const gone = Math.max(0, ...going, ...bare, ...oldChanges.map(({ seq }) => seq));
    this.#database.prepare(`UPDATE meta SET value = MAX(value, ?) WHERE key = 'oldest'`).run(gone);
    return going.length + bare.length;
  }

  #forget(eventSeqs: readonly number[]): void {
    const forgetDeliveries = this.#database.prepare(
      'DELETE FROM deliveries WHERE event_seq = ? RETURNING seq',
    );
    const forgetAttempts = this.#database.prepare('DELETE FROM attempts WHERE id >= ? AND id < ?');
    for (const eventSeq of eventSeqs) {
      for (const { seq } of forgetDeliveries.all(eventSeq) as { seq: number }[]) {
        forgetAttempts.run(seq * ATTEMPTS_PER_DELIVERY, (seq + 1) * ATTEMPTS_PER_DELIVERY);
      }
    }
  }
}

interface PruneCandidate {
  seq: number;
  received_at: number;
  bare: number;
  open: number;
}

interface LaneColumns {
  endpoint_no: number;
  pool: string | null;
  held: number;
  max_concurrency: number;
  rate_per_second: number | null;
  failures_in_row: number | null;
  failing_since: number | null;
  last_success_at: number | null;
}
