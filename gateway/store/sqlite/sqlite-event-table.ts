import type { DatabaseSync } from 'node:sqlite';
import { withId, type Event } from '../../events/event.ts';
import type { NewEvent } from '../store.ts';
import { prepareSql, type NameTable } from './sqlite-database.ts';
import { FLAG_LENIENT, FLAG_TEST } from './sqlite-rows.ts';

export type InsertOutcome = { inserted: Event } | { duplicateOf: string };

/** Inserts events, first come first kept; decides what counts as a duplicate (decisions C7 and C12). */
export class EventTable {
  readonly #insert;
  readonly #findId;
  readonly #names: NameTable;

  constructor(database: DatabaseSync, names: NameTable) {
    this.#insert = prepareSql(database, 'insert-event');
    this.#findId = prepareSql(database, 'find-event-id');
    this.#names = names;
  }

  insert(append: NewEvent, seq: number): InsertOutcome {
    const { event } = append;
    if (this.#tryInsert(append, event, seq)) return { inserted: event };
    const sourceNo = event.source === null ? null : this.#names.numberOf(event.source);
    if (this.#holder(event.id)!.source_no === sourceNo) return this.#repeat(append, event, seq);
    // Another source holds this id: it stays theirs, ours is told apart by its source's name.
    const own = withId(event, `${event.source ?? 'api'}:${event.id}`);
    return this.#tryInsert(append, own, seq) ? { inserted: own } : this.#repeat(append, own, seq);
  }

  /** The id is known from the same source: a duplicate, unless ids were derived and the last one is long ago. */
  #repeat(append: NewEvent, event: Event, seq: number): InsertOutcome {
    const windowMs = append.duplicateWindowMs;
    if (windowMs === undefined || event.receivedAt - this.#holder(event.id)!.received_at <= windowMs) {
      return { duplicateOf: event.id };
    }
    // Later copies are told apart by the window they fall into; the window before may still cover this one.
    const window = Math.floor(event.receivedAt / windowMs);
    const before = this.#holder(`${event.id}-${window - 1}`);
    if (before && event.receivedAt - before.received_at <= windowMs)
      return { duplicateOf: `${event.id}-${window - 1}` };
    const later = withId(event, `${event.id}-${window}`);
    return this.#tryInsert(append, later, seq) ? { inserted: later } : { duplicateOf: later.id };
  }

  #tryInsert(append: NewEvent, event: Event, seq: number): boolean {
    const inserted = this.#insert.run(
      seq,
      event.id,
      event.source === null ? null : this.#names.numberOf(event.source),
      this.#names.numberOf(event.type),
      event.occurredAt,
      event.receivedAt,
      event.machine?.id ?? null,
      machineDetails(event),
      (event.test ? FLAG_TEST : 0) | (event.verifiedLeniently ? FLAG_LENIENT : 0),
      append.direct ? 1 : 0,
      event.hops,
      event.body,
      event.raw,
    );
    return inserted.changes === 1;
  }

  #holder(id: string): { source_no: number | null; received_at: number } | undefined {
    return this.#findId.get(id) as { source_no: number | null; received_at: number } | undefined;
  }
}

function machineDetails({ machine }: Event): string | null {
  if (!machine || (machine.name === undefined && machine.group === undefined)) return null;
  const { id: _id, ...details } = machine;
  return JSON.stringify(details);
}
