import type { Event } from '../events/event.ts';
import type { Cursor, JournalEntry } from '../store/journal.ts';
import type { DeliveryRow, DeliveryWhere, EventWhere } from '../store/store-reader.ts';
import type { Store } from '../store/store.ts';
import { streamItems } from './item-stream.ts';
import { compileDeliveryMatcher, compileEventMatcher } from './matchers.ts';

/** One frame of a stream: what happened and where to go on from. */
export interface LiveEdge<Row> {
  cursor: Cursor;
  node: Row;
}

/** Where a stream begins, and what ends it beside its reader. */
export interface LivePosition {
  /** null: from now on. */
  after: Cursor | null;
  stop: AbortSignal | null;
}

/**
 * Every event that matches, in journal order: first what is stored after the cursor, then live.
 * @throws CURSOR_EXPIRED (from the iteration) with the oldest cursor that is still there
 */
export function followEvents(
  store: Pick<Store, 'tail'>,
  where: EventWhere,
  position: LivePosition,
): AsyncIterableIterator<LiveEdge<Event>> {
  const matches = compileEventMatcher(where);
  return followJournal(store, position, (entry) =>
    entry.kind === 'event' && matches(entry.event) ? { cursor: entry.cursor, node: entry.event } : null,
  );
}

/**
 * Every change of a delivery that matches, shown as it was right after that change; else as `followEvents`.
 * @throws CURSOR_EXPIRED (from the iteration) with the oldest cursor that is still there
 */
export function followDeliveries(
  store: Pick<Store, 'tail'>,
  where: DeliveryWhere,
  position: LivePosition,
): AsyncIterableIterator<LiveEdge<DeliveryRow>> {
  const matches = compileDeliveryMatcher(where);
  return followJournal(store, position, (entry) =>
    entry.kind === 'delivery' && matches(entry.delivery)
      ? { cursor: entry.cursor, node: entry.delivery }
      : null,
  );
}

function followJournal<Row>(
  store: Pick<Store, 'tail'>,
  { after, stop }: LivePosition,
  pick: (entry: JournalEntry) => LiveEdge<Row> | null,
): AsyncIterableIterator<LiveEdge<Row>> {
  return streamItems((signal) => store.tail(after, signal), pick, stop);
}
