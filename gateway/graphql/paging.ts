import { badInput } from '../errors.ts';
import type { Cursor } from '../store/journal.ts';
import type { Page, PageQuery } from '../store/store-reader.ts';

/** Rows of a page where nobody says how many. */
export const USUAL_PAGE = 50;

/** The most rows of a page. */
export const LARGEST_PAGE = 500;

/** Relay's arguments: `first` with `after`, or `last` with `before`. */
export interface ConnectionArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

/** A page as Relay knows it. The cursors of its edges are opaque to clients. */
export interface Connection<Row> {
  edges: { cursor: string; node: Row }[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  liveCursor: Cursor;
}

/** Which way a page is read, how far, and from where. */
export interface PageRequest {
  direction: 'forward' | 'backward';
  limit: number;
  beyond: string | null;
}

/**
 * What Relay's arguments ask for.
 * @throws BAD_USER_INPUT for a size out of range and for both directions at once
 */
export function readPageRequest({ first, after, last, before }: ConnectionArgs): PageRequest {
  const backward = last != null || before != null;
  if (backward && (first != null || after != null)) {
    throw badInput(
      last != null ? 'last' : 'before',
      'Page one way at a time: "first" with "after", or "last" with "before".',
    );
  }
  const size = backward ? last : first;
  if (size != null && (size < 1 || size > LARGEST_PAGE)) {
    throw badInput(
      backward ? 'last' : 'first',
      `${size} rows cannot be asked for; ask for 1 to ${LARGEST_PAGE}.`,
    );
  }
  return {
    direction: backward ? 'backward' : 'forward',
    limit: size ?? USUAL_PAGE,
    beyond: (backward ? before : after) ?? null,
  };
}

/** A page of a list that the store keeps, newest first. Its cursors are the store's. */
export async function readConnection<Where, Row>(
  read: (query: PageQuery<Where>) => Promise<Page<Row>>,
  where: Where,
  args: ConnectionArgs,
): Promise<Connection<Row>> {
  const { direction, limit, beyond } = readPageRequest(args);
  const order = direction === 'forward' ? 'newest' : 'oldest';
  const { rows, hasMore, head } = await read({ where, limit, order, after: beyond });
  const edges = rows.map(({ cursor, row }) => ({ cursor, node: row }));
  if (direction === 'backward') edges.reverse();
  return toConnection(edges, { direction, hasMore, hasBeyond: beyond !== null }, head);
}

/** Puts a page together. `hasBeyond`: it began at a row, which then lies on its other side. */
export function toConnection<Row>(
  edges: { cursor: string; node: Row }[],
  page: { direction: PageRequest['direction']; hasMore: boolean; hasBeyond: boolean },
  liveCursor: Cursor,
): Connection<Row> {
  const forward = page.direction === 'forward';
  return {
    edges,
    pageInfo: {
      hasNextPage: forward ? page.hasMore : page.hasBeyond,
      hasPreviousPage: forward ? page.hasBeyond : page.hasMore,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    liveCursor,
  };
}
