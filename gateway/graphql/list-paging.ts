import { badInput } from '../errors.ts';
import type { Cursor } from '../store/journal.ts';
import { readPageRequest, toConnection } from './paging.ts';
import type { Connection, ConnectionArgs } from './paging.ts';

/** How a list in memory is ordered: by time, then by id. */
export interface ListOrder<Row> {
  order: 'oldest' | 'newest';
  /** Unix ms. */
  at(row: Row): number;
}

/**
 * A page of a list that is held in memory. A cursor names a place, not a row: it stays good when its row goes.
 * @throws BAD_USER_INPUT for a cursor that is none
 */
export function pageList<Row extends { id: string }>(
  rows: readonly Row[],
  { order, at }: ListOrder<Row>,
  args: ConnectionArgs,
  liveCursor: Cursor,
): Connection<Row> {
  const { direction, limit, beyond } = readPageRequest(args);
  const forward = direction === 'forward';
  const sign = (order === 'oldest') === forward ? 1 : -1;
  const sorted = rows
    .map((row) => ({ row, place: { at: at(row), id: row.id } }))
    .sort((one, other) => sign * comparePlaces(one.place, other.place));
  const start = beyond === null ? null : parsePlace(beyond, forward ? 'after' : 'before');
  const remaining =
    start === null ? sorted : sorted.filter(({ place }) => sign * comparePlaces(place, start) > 0);
  const edges = remaining
    .slice(0, limit)
    .map(({ row, place }) => ({ cursor: `${place.at.toString(36)}.${place.id}`, node: row }));
  if (!forward) edges.reverse();
  const page = { direction, hasMore: remaining.length > limit, hasBeyond: beyond !== null };
  return toConnection(edges, page, liveCursor);
}

interface Place {
  at: number;
  id: string;
}

function comparePlaces(one: Place, other: Place): number {
  if (one.at !== other.at) return one.at - other.at;
  if (one.id === other.id) return 0;
  return one.id < other.id ? -1 : 1;
}

function parsePlace(cursor: string, field: string): Place {
  const [, at, id] = /^([0-9a-z]{1,11})\.(.+)$/.exec(cursor) ?? [];
  if (at === undefined || id === undefined) {
    throw badInput(
      field,
      `"${cursor.slice(0, 60)}" is not a cursor of this list; pass one that came with an edge, or none.`,
    );
  }
  return { at: Number.parseInt(at, 36), id };
}
