import { parseDeliveryId } from '../delivery-id.ts';
import type { Event } from '../../events/event.ts';
import { formatCursor, parseCursor, type Cursor } from '../journal.ts';
import type { Attempt, Backlog, DeliveryRow, Page, PageQuery, StoreReader } from '../store-reader.ts';
import type { NewAttempt } from '../store.ts';
import { readDeliveries, toDeliveryRow, type ShownDelivery } from './delivery-rows.ts';
import { readEventText } from './event-text.ts';
import { chooseDeliveryIndexes, chooseEventIndexes, expandTypes } from './page-indexes.ts';
import type { RedisConnection } from './redis-connection.ts';

export interface RedisReaderOptions {
  epoch: string;
  /** Of its own: pages never stand in the way of an append. */
  connection: RedisConnection;
}

interface PageAnswer<Row> {
  rows?: Row[];
  /** Where there is more to look at. */
  next: number | null;
  head: number;
}

/** Events of one page together: what does not fit comes with the next page. */
const PAGE_BYTES = 8 * 1024 * 1024;

/** The reading half of the port. A page is put together in steps where much has to be looked through for it. */
export function createRedisReader({ epoch, connection }: RedisReaderOptions): StoreReader {
  const readPage = async <Row, Shown>(
    script: 'page-events' | 'page-deliveries',
    query: PageQuery<{ since?: number; until?: number; test?: boolean }>,
    request: object,
    toRow: (shown: Shown, text: string) => { seq: number; row: Row },
  ): Promise<Page<Row>> => {
    const { where, order, limit } = query;
    const { since = null, until = null, test = null } = where;
    const rows: { cursor: Cursor; row: Row }[] = [];
    let after = query.after === null ? null : parseCursor(epoch, query.after, formatCursor(epoch, 0));
    let head: number | null = null;
    let bytes = 0;
    do {
      const left = { limit: limit - rows.length, bytes: PAGE_BYTES - bytes };
      const step: object = { ...request, ...left, order, after, since, until, test };
      const { result, text } = await connection.run<PageAnswer<Shown>>(script, step);
      for (const [index, shown] of (result.rows ?? []).entries()) {
        const { seq, row } = toRow(shown, text(index + 1));
        rows.push({ cursor: formatCursor(epoch, seq), row });
        bytes += text(index + 1).length;
      }
      head ??= result.head;
      after = result.next;
    } while (after !== null && rows.length <= limit && bytes < PAGE_BYTES);
    return {
      rows: rows.slice(0, limit),
      hasMore: after !== null || rows.length > limit,
      head: formatCursor(epoch, head),
    };
  };

  const knownTypes = (): Promise<string[]> =>
    connection.send((redis) => redis.smembers(connection.key('types')));

  return {
    async events(query) {
      const { types, sources = null, machines = null } = query.where;
      const wanted = types ? await expandTypes(types, knownTypes) : null;
      const request = { indexes: chooseEventIndexes(wanted), types: wanted, sources, machines };
      return readPage<Event, number>('page-events', query, request, (seq, text) => ({
        seq,
        row: readEventText(text),
      }));
    },

    async deliveries(query) {
      const { types, endpointIds = null, eventIds = null, orderKeys = null, statuses = null } = query.where;
      const wanted = types ? await expandTypes(types, knownTypes) : null;
      const request = {
        indexes: chooseDeliveryIndexes(endpointIds, wanted),
        eventIds,
        endpoints: endpointIds,
        orderKeys,
        types: wanted,
        statuses,
      };
      return readPage<DeliveryRow, ShownDelivery>('page-deliveries', query, request, (shown, context) => ({
        seq: shown[0],
        row: toDeliveryRow(shown, context),
      }));
    },

    async eventsById(ids) {
      if (ids.length === 0) return [];
      const found = await connection.send((redis) => redis.hmget(connection.key('events'), ...ids));
      return found.map((stored) => (stored === null ? null : readEventText(stored)));
    },

    async deliveriesById(ids) {
      return readDeliveries(
        connection,
        ids.map((id) => parseDeliveryId(id) ?? 0),
      );
    },

    async attempts(ids) {
      const seqs = ids.map((id) => parseDeliveryId(id) ?? 0);
      const answer = await connection.run<{ counts?: number[] }>('read-attempts', { seqs });
      let text = 0;
      return (answer.result.counts ?? []).map((count) =>
        Array.from({ length: count }, (_, index): Attempt => {
          const attempt = JSON.parse(answer.text(++text)) as NewAttempt;
          return { number: index + 1, ...attempt };
        }),
      );
    },

    async backlog() {
      return (await connection.run<Backlog>('backlog', {})).result;
    },
  };
}
