import { HooklineError } from '../errors.ts';
import type { Event } from '../events/event.ts';
import type { DeliveryRow } from './store-reader.ts';

/**
 * A place in the one journal of a store: `epoch.sequence`, opaque to clients. Sequence numbers are given at
 * commit, so a cursor can never overtake an event that commits later.
 */
export type Cursor = string;

/** One change, in journal order. Deliveries are shown as they were right after that change. */
export type JournalEntry =
  | { kind: 'event'; cursor: Cursor; at: number; event: Event }
  | { kind: 'delivery'; cursor: Cursor; at: number; delivery: DeliveryRow };

export function formatCursor(epoch: string, sequence: number): Cursor {
  return `${epoch}.${sequence.toString(36)}`;
}

/**
 * The sequence in a cursor of this epoch.
 * @throws BAD_USER_INPUT for what is no cursor at all, CURSOR_EXPIRED for one of another epoch.
 */
export function parseCursor(epoch: string, cursor: Cursor, oldest: Cursor): number {
  const match = /^([a-z0-9]{1,32})\.([a-z0-9]{1,11})$/.exec(cursor);
  if (!match) {
    throw new HooklineError(
      'BAD_USER_INPUT',
      `"${cursor.slice(0, 60)}" is not a cursor; pass one that came with an edge, or none.`,
      {
        details: { field: 'after' },
      },
    );
  }
  if (match[1] !== epoch) throw cursorExpired(oldest);
  return Number.parseInt(match[2]!, 36);
}

/** The typed error for a place that is no longer there; names the oldest one that is. */
export function cursorExpired(oldest: Cursor): HooklineError {
  return new HooklineError(
    'CURSOR_EXPIRED',
    `The cursor is older than what is kept. Read what you missed with a query, or go on from "${oldest}".`,
    { details: { oldestCursor: oldest } },
  );
}
