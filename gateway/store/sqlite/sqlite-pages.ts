import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Event } from '../../events/event.ts';
import type { DeliveryRow, ShownStatus } from '../store-reader.ts';
import type { NameTable } from './sqlite-database.ts';
import type { ReadRequest } from './sqlite-protocol.ts';
import {
  FLAG_TEST,
  statusNumber,
  toDelivery,
  toEvent,
  type DeliveryColumns,
  type EventColumns,
} from './sqlite-rows.ts';

export interface RowPage<Row> {
  rows: { seq: number; row: Row }[];
  hasMore: boolean;
}

export const EVENT_COLUMNS =
  'e.id, e.source_no, e.type_no, e.occurred_at, e.received_at, e.machine_id, e.machine, e.flags, e.hops, e.body, e.raw';

export const DELIVERY_SELECT = `SELECT d.*, e.id AS event_id, COALESCE(l.held, 0) AS held FROM deliveries d
  JOIN events e ON e.seq = d.event_seq LEFT JOIN lanes l ON l.endpoint_no = d.endpoint_no`;

/** More index walks than this for one page are dearer than one scan by sequence. */
const MOST_WALKS = 64;

/** One ordered walk through an index; a page is the merge of its walks. */
interface Walk {
  sql: string;
  values: SQLInputValue[];
}

export function readEventPage(
  database: DatabaseSync,
  names: NameTable,
  { query, afterSeq }: Extract<ReadRequest, { kind: 'events' }>,
): RowPage<Event> {
  const { where } = query;
  const filter = new Filter();
  filter.add('e.direct = 0 AND e.body IS NOT NULL');
  filter.range('e.seq', query.order, afterSeq, timeBounds(database, 'events', 'received_at', where));
  if (where.sources) filter.oneOf('e.source_no', knownNumbers(names, where.sources));
  if (where.machines) filter.oneOf('e.machine_id', where.machines);
  if (where.test !== undefined) filter.add(`(e.flags & ${FLAG_TEST}) ${where.test ? '<>' : '='} 0`);
  const types = where.types ? typeNumbers(database, names, where.types) : null;
  const walks = splitWalks(filter, types, 'e.type_no');
  const rows = mergeWalks<EventColumns & { seq: number }>(
    database,
    walks.map((walk) => ({ ...walk, sql: `SELECT ${EVENT_COLUMNS}, e.seq FROM events e WHERE ${walk.sql}` })),
    'e.seq',
    query,
  );
  return toPage(rows, query.limit, (row) => toEvent(row, names));
}

export function readDeliveryPage(
  database: DatabaseSync,
  names: NameTable,
  { query, afterSeq, leased }: Extract<ReadRequest, { kind: 'deliveries' }>,
): RowPage<DeliveryRow> {
  const { where } = query;
  const filter = new Filter();
  filter.range('d.seq', query.order, afterSeq, timeBounds(database, 'deliveries', 'created_at', where));
  if (where.test !== undefined) filter.add(`(d.flags & ${FLAG_TEST}) ${where.test ? '<>' : '='} 0`);
  if (where.orderKeys) filter.oneOf('d.order_key', where.orderKeys);
  if (where.statuses) filter.add(...statusCondition(where.statuses, leased));
  const endpoints = where.endpointIds ? knownNumbers(names, where.endpointIds) : null;
  const types = where.types ? typeNumbers(database, names, where.types) : null;
  let walks: Walk[];
  if (where.eventIds) {
    filter.add(
      `d.event_seq IN (SELECT seq FROM events WHERE id IN (SELECT value FROM json_each(?)))`,
      JSON.stringify(where.eventIds),
    );
    if (endpoints) filter.oneOf('d.endpoint_no', endpoints);
    walks = splitWalks(filter, types, 'd.type_no');
  } else if (endpoints) {
    walks = splitWalks(filter, endpoints, 'd.endpoint_no').flatMap((walk) =>
      splitWalks(Filter.from(walk), types, 'd.type_no'),
    );
    if (walks.length > MOST_WALKS) {
      filter.oneOf('d.endpoint_no', endpoints);
      if (types) filter.oneOf('d.type_no', types);
      walks = [filter.walk()];
    }
  } else {
    walks = splitWalks(filter, types, 'd.type_no');
  }
  const rows = mergeWalks<DeliveryColumns>(
    database,
    walks.map((walk) => ({ ...walk, sql: `${DELIVERY_SELECT} WHERE ${walk.sql}` })),
    'd.seq',
    query,
  );
  return toPage(rows, query.limit, (row) => toDelivery(row, names));
}

/** What people see as a status, as a condition on what is stored, on the lane and on the leases. */
function statusCondition(statuses: readonly ShownStatus[], leased: number[]): [string, ...SQLInputValue[]] {
  const isLeased = 'd.seq IN (SELECT value FROM json_each(?))';
  const held = `(d.status = ${statusNumber('HELD')} OR ((COALESCE(l.held, 0) = 1 OR d.order_state = 2) AND d.status IN (0, 1)))`;
  const leasedJson = JSON.stringify(leased);
  const values: SQLInputValue[] = [];
  const conditions = statuses.map((status) => {
    values.push(leasedJson);
    if (status === 'SENDING') return `(${isLeased})`;
    if (status === 'HELD') return `(${held} AND NOT ${isLeased})`;
    const number = statusNumber(status);
    const notHeld =
      status === 'PENDING' || status === 'RETRYING'
        ? 'AND COALESCE(l.held, 0) = 0 AND d.order_state < 2 '
        : '';
    return `(d.status = ${number} ${notHeld}AND NOT ${isLeased})`;
  });
  // Said once more in plain words, so that the index of what has not succeeded can be used.
  const rare = statuses.includes('SUCCEEDED') ? '' : `d.status <> ${statusNumber('SUCCEEDED')} AND `;
  return [`${rare}(${conditions.join(' OR ')})`, ...values];
}

class Filter {
  readonly #conditions: string[] = [];
  readonly #values: SQLInputValue[] = [];

  static from(walk: Walk): Filter {
    const filter = new Filter();
    filter.add(walk.sql, ...walk.values);
    return filter;
  }

  add(condition: string, ...values: SQLInputValue[]): void {
    this.#conditions.push(condition);
    this.#values.push(...values);
  }

  oneOf(column: string, values: readonly (string | number)[]): void {
    this.add(`${column} IN (SELECT value FROM json_each(?))`, JSON.stringify(values));
  }

  range(column: string, order: 'newest' | 'oldest', afterSeq: number | null, bounds: SeqBounds): void {
    if (afterSeq !== null) this.add(`${column} ${order === 'newest' ? '<' : '>'} ?`, afterSeq);
    if (bounds.from !== null) this.add(`${column} >= ?`, bounds.from);
    if (bounds.to !== null) this.add(`${column} < ?`, bounds.to);
  }

  walk(extra?: string, ...values: SQLInputValue[]): Walk {
    const conditions = extra === undefined ? this.#conditions : [...this.#conditions, extra];
    return {
      sql: conditions.length === 0 ? '1' : conditions.join(' AND '),
      values: [...this.#values, ...values],
    };
  }
}

/** One walk per value, so that each follows its index in order; one filtered walk where that would be too many. */
function splitWalks(filter: Filter, values: readonly number[] | null, column: string): Walk[] {
  if (values === null) return [filter.walk()];
  if (values.length <= MOST_WALKS) return values.map((value) => filter.walk(`${column} = ?`, value));
  filter.oneOf(column, values);
  return [filter.walk()];
}

/** Bodies of one page together: what does not fit comes with the next page. */
const PAGE_BYTES = 8 * 1024 * 1024;

interface Merged<Row> {
  rows: Row[];
  /** There is more beyond these rows, however many they are. */
  isCut: boolean;
}

function mergeWalks<Row extends { seq: number; body?: string | null }>(
  database: DatabaseSync,
  walks: readonly Walk[],
  seqColumn: string,
  { order, limit }: { order: 'newest' | 'oldest'; limit: number },
): Merged<Row> {
  const direction = order === 'newest' ? 'DESC' : 'ASC';
  const isBeyond = (seq: number, place: number): boolean => (order === 'newest' ? seq < place : seq > place);
  const rows: Row[] = [];
  let end: number | null = null;
  for (const { sql, values } of walks) {
    const statement = database.prepare(`${sql} ORDER BY ${seqColumn} ${direction} LIMIT ?`);
    const found = statement.iterate(...values, limit + 1) as Iterable<unknown> as Iterable<Row>;
    const walked = takeBytes(found);
    rows.push(...walked.rows);
    const last = walked.rows.at(-1);
    // Beyond where one walk stopped short, the others' rows would leave its rows out.
    if (walked.isCut && last && (end === null || isBeyond(end, last.seq))) end = last.seq;
  }
  if (walks.length > 1) rows.sort((a, b) => (order === 'newest' ? b.seq - a.seq : a.seq - b.seq));
  const kept = takeBytes(end === null ? rows : rows.filter(({ seq }) => !isBeyond(seq, end)));
  return { rows: kept.rows, isCut: kept.isCut || end !== null };
}

/** As many as fit, and always one where there is one. */
export function takeBytes<Row extends { body?: string | null }>(rows: Iterable<Row>): Merged<Row> {
  const taken: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    bytes += row.body?.length ?? 0;
    if (bytes > PAGE_BYTES && taken.length > 0) return { rows: taken, isCut: true };
    taken.push(row);
  }
  return { rows: taken, isCut: false };
}

function toPage<Columns extends { seq: number }, Row>(
  { rows, isCut }: Merged<Columns>,
  limit: number,
  toRow: (columns: Columns) => Row,
): RowPage<Row> {
  return {
    rows: rows.slice(0, limit).map((columns) => ({ seq: columns.seq, row: toRow(columns) })),
    hasMore: isCut || rows.length > limit,
  };
}

function knownNumbers(names: NameTable, wanted: readonly string[]): number[] {
  return wanted.map((name) => names.find(name)).filter((number) => number !== null);
}

function typeNumbers(database: DatabaseSync, names: NameTable, patterns: readonly string[]): number[] | null {
  if (patterns.includes('*')) return null;
  const numbers = new Set<number>();
  const family = database.prepare('SELECT no FROM names WHERE name >= ? AND name < ?');
  for (const pattern of patterns) {
    if (pattern.endsWith('*')) {
      const prefix = pattern.slice(0, -1);
      for (const { no } of family.all(prefix, `${prefix}\u{10ffff}`) as { no: number }[]) numbers.add(no);
    } else {
      const number = names.find(pattern);
      if (number !== null) numbers.add(number);
    }
  }
  return [...numbers];
}

interface SeqBounds {
  from: number | null;
  to: number | null;
}

/** Sequence and time run together, so a span of time is a span of the key: found by halving, not by scanning. */
function timeBounds(
  database: DatabaseSync,
  table: 'events' | 'deliveries',
  column: 'received_at' | 'created_at',
  { since, until }: { since?: number; until?: number },
): SeqBounds {
  const firstAtOrAfter = (time: number): number => {
    const rowAt = database.prepare(
      `SELECT seq, ${column} AS at FROM ${table} WHERE seq >= ? ORDER BY seq LIMIT 1`,
    );
    let low = 0;
    let high =
      ((database.prepare(`SELECT MAX(seq) AS seq FROM ${table}`).get() as { seq: number | null }).seq ?? 0) +
      1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = rowAt.get(middle) as { seq: number; at: number } | undefined;
      if (!row || row.at >= time) high = middle;
      else low = row.seq + 1;
    }
    return low;
  };
  return {
    from: since === undefined ? null : firstAtOrAfter(since),
    to: until === undefined ? null : firstAtOrAfter(until),
  };
}
