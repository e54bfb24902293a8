import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Event } from '../../events/event.ts';
import type { StoredRecord } from '../records.ts';
import type { Attempt, Backlog, DeliveryRow } from '../store-reader.ts';
import type { AttemptOutcome } from '../store.ts';
import { NameTable, openDatabase } from './sqlite-database.ts';
import {
  DELIVERY_SELECT,
  EVENT_COLUMNS,
  readDeliveryPage,
  readEventPage,
  takeBytes,
  type RowPage,
} from './sqlite-pages.ts';
import type { ReadRequest } from './sqlite-protocol.ts';
import { parseDeliveryId } from '../delivery-id.ts';
import {
  ATTEMPTS_PER_DELIVERY,
  statusNumber,
  toDelivery,
  toEvent,
  type DeliveryColumns,
  type EventColumns,
} from './sqlite-rows.ts';

/** A stored stretch of the journal. */
export interface JournalSlice {
  /** Everything after this place is still there. */
  oldest: number;
  /** There is nothing more to show up to this place. */
  upTo: number;
  entries: ({ seq: number; at: number; event: Event } | { seq: number; at: number; delivery: DeliveryRow })[];
}

/** Answers the reads of pages, details and followers from a connection of its own; synchronous, run in a thread. */
export class SqliteReader {
  readonly #database: DatabaseSync;
  readonly #names: NameTable;

  constructor(path: string) {
    this.#database = openDatabase(path, 'reader');
    this.#names = new NameTable(this.#database, 'reader');
  }

  /** One snapshot per request. */
  read(request: ReadRequest): unknown {
    this.#database.exec('BEGIN');
    try {
      return this.#answer(request);
    } finally {
      this.#database.exec('COMMIT');
    }
  }

  close(): void {
    this.#database.close();
  }

  #answer(request: ReadRequest): unknown {
    switch (request.kind) {
      case 'events':
        return this.#withHead(readEventPage(this.#database, this.#names, request));
      case 'deliveries':
        return this.#withHead(readDeliveryPage(this.#database, this.#names, request));
      case 'events-by-id':
        return this.#eventsById(request.ids);
      case 'deliveries-by-id':
        return this.#deliveriesById(request.ids);
      case 'attempts':
        return request.ids.map((id) => this.#attempts(id));
      case 'backlog':
        return this.#backlog(request.now);
      case 'journal':
        return this.#journal(request.after, request.limit);
      case 'record':
        return this.#records('WHERE collection = ? AND id = ?', request.collection, request.id)[0] ?? null;
      case 'records':
        return this.#records('WHERE collection = ?', request.collection);
    }
  }

  #withHead<Row>(page: RowPage<Row>): RowPage<Row> & { head: number } {
    return { ...page, head: this.#head() };
  }

  #eventsById(ids: readonly string[]): (Event | null)[] {
    const statement = this.#database.prepare(
      `SELECT ${EVENT_COLUMNS} FROM events e WHERE id = ? AND body IS NOT NULL`,
    );
    return ids.map((id) => {
      const row = statement.get(id) as unknown as EventColumns | undefined;
      return row ? toEvent(row, this.#names) : null;
    });
  }

  #deliveriesById(ids: readonly string[]): (DeliveryRow | null)[] {
    const statement = this.#database.prepare(`${DELIVERY_SELECT} WHERE d.seq = ?`);
    return ids.map((id) => {
      const row = statement.get(parseDeliveryId(id)) as unknown as DeliveryColumns | undefined;
      return row ? toDelivery(row, this.#names) : null;
    });
  }

  #attempts(deliveryId: string): Attempt[] {
    const seq = parseDeliveryId(deliveryId);
    if (seq === null) return [];
    const rows = this.#database
      .prepare('SELECT * FROM attempts WHERE id >= ? AND id < ? ORDER BY id')
      .all(seq * ATTEMPTS_PER_DELIVERY, (seq + 1) * ATTEMPTS_PER_DELIVERY) as unknown as AttemptColumns[];
    return rows.map((row) => ({
      number: row.id % ATTEMPTS_PER_DELIVERY,
      startedAt: row.started_at,
      durationMs: row.duration_ms,
      outcome: row.outcome,
      statusCode: row.status_code,
      requestHeaders: row.request_headers,
      requestBody: row.request_body,
      responseHeaders: row.response_headers,
      responseBody: row.response_body,
      error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? '' },
    }));
  }

  #backlog(now: number): Backlog {
    const due = this.#database
      .prepare(
        `SELECT COUNT(*) AS open, MIN(CASE WHEN due_at <= ? THEN due_at END) AS oldest
         FROM deliveries d LEFT JOIN lanes l ON l.endpoint_no = d.endpoint_no
         WHERE due_at IS NOT NULL AND order_state < 2 AND COALESCE(l.held, 0) = 0`,
      )
      .get(now) as { open: number; oldest: number | null };
    const held = this.#database
      .prepare(
        `SELECT (SELECT COUNT(*) FROM deliveries WHERE status = ${statusNumber('HELD')})
           + (SELECT COUNT(*) FROM deliveries d LEFT JOIN lanes l ON l.endpoint_no = d.endpoint_no
              WHERE d.due_at IS NOT NULL AND (l.held = 1 OR d.order_state = 2)) AS held`,
      )
      .get() as { held: number };
    return { open: due.open, oldestDueAt: due.oldest, held: held.held };
  }

  #journal(after: number, limit: number): JournalSlice {
    const oldest = this.#number(`SELECT value AS n FROM meta WHERE key = 'oldest'`);
    const events = takeBytes(
      this.#database
        .prepare(
          `SELECT ${EVENT_COLUMNS}, e.seq FROM events e WHERE seq > ? AND direct = 0 AND body IS NOT NULL ORDER BY seq LIMIT ?`,
        )
        .iterate(after, limit) as Iterable<unknown> as Iterable<EventColumns & { seq: number }>,
    );
    // As they were at birth: what came later is told by the changes.
    const births = this.#database
      .prepare(`${DELIVERY_SELECT} WHERE d.seq > ? ORDER BY d.seq LIMIT ?`)
      .all(after, limit) as unknown as (DeliveryColumns & { seq: number })[];
    const changes = this.#database
      .prepare(
        `SELECT c.seq AS change_seq, c.at, c.status AS c_status, c.attempts AS c_attempts, c.step AS c_step,
           c.generation AS c_generation, c.due_at AS c_due_at, c.completed_at AS c_completed_at, c.reason AS c_reason, r.*
         FROM changes c JOIN (${DELIVERY_SELECT}) r ON r.seq = c.delivery_seq
         WHERE c.seq > ? ORDER BY c.seq LIMIT ?`,
      )
      .all(after, limit) as unknown as (DeliveryColumns & ChangeColumns)[];
    const all: JournalSlice['entries'] = [
      ...events.rows.map((row) => ({ seq: row.seq, at: row.received_at, event: toEvent(row, this.#names) })),
      ...births.map((row) => ({ seq: row.seq, at: row.created_at, delivery: this.#atBirth(row) })),
      ...changes.map((row) => ({ seq: row.change_seq, at: row.at, delivery: this.#asOfChange(row) })),
    ];
    all.sort((a, b) => a.seq - b.seq);
    // Beyond the last event that fitted, the entries in between would be left out.
    const end = events.isCut ? events.rows.at(-1)!.seq : Infinity;
    const entries = all.filter(({ seq }) => seq <= end).slice(0, limit);
    const isWhole = !events.isCut && all.length < limit;
    return { oldest, upTo: isWhole ? this.#head() : entries.at(-1)!.seq, entries };
  }

  #atBirth(row: DeliveryColumns): DeliveryRow {
    const waits = row.reason !== null && row.status === statusNumber('HELD');
    return toDelivery(
      {
        ...row,
        status: waits ? row.status : statusNumber('PENDING'),
        due_at: waits ? null : row.created_at,
        attempts: 0,
        step: 0,
        generation: 0,
        completed_at: null,
        reason: waits ? row.reason : null,
        held: 0,
        order_state: 0,
      },
      this.#names,
    );
  }

  #asOfChange(row: DeliveryColumns & ChangeColumns): DeliveryRow {
    return toDelivery(
      {
        ...row,
        status: row.c_status,
        attempts: row.c_attempts,
        step: row.c_step,
        generation: row.c_generation,
        due_at: row.c_due_at,
        completed_at: row.c_completed_at,
        reason: row.c_reason,
        held: 0,
        order_state: 0,
      },
      this.#names,
    );
  }

  #head(): number {
    return this.#number(
      `SELECT MAX(COALESCE((SELECT MAX(seq) FROM events), 0), COALESCE((SELECT MAX(seq) FROM deliveries), 0),
         COALESCE((SELECT MAX(seq) FROM changes), 0), (SELECT value FROM meta WHERE key = 'floor')) AS n`,
    );
  }

  #number(sql: string): number {
    return (this.#database.prepare(sql).get() as { n: number }).n;
  }

  #records(where: string, ...values: SQLInputValue[]): StoredRecord<unknown>[] {
    const rows = this.#database
      .prepare(`SELECT * FROM records ${where} ORDER BY place`)
      .all(...values) as unknown as RecordColumns[];
    return rows.map((row) => ({
      collection: row.collection,
      id: row.id,
      version: row.version,
      value: JSON.parse(row.value) as unknown,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    }));
  }
}

interface AttemptColumns {
  id: number;
  started_at: number;
  duration_ms: number | null;
  outcome: AttemptOutcome;
  status_code: number | null;
  request_headers: string | null;
  request_body: string | null;
  response_headers: string | null;
  response_body: string | null;
  error_code: string | null;
  error_message: string | null;
}

interface ChangeColumns {
  change_seq: number;
  at: number;
  c_status: number;
  c_attempts: number;
  c_step: number;
  c_generation: number;
  c_due_at: number | null;
  c_completed_at: number | null;
  c_reason: string | null;
}

interface RecordColumns {
  collection: string;
  id: string;
  version: number;
  value: string;
  created_at: number;
  updated_at: number;
}
