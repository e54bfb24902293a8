import { formatCursor, type Cursor } from '../journal.ts';
import type { Attempt, Backlog, DeliveryRow, Page, StoreReader } from '../store-reader.ts';
import type { Event } from '../../events/event.ts';
import type { ReadRequest } from './sqlite-protocol.ts';
import { parseDeliveryId } from '../delivery-id.ts';

interface ReaderDeps {
  epoch: string;
  read<Result>(request: ReadRequest): Promise<Result>;
  now(): number;
  /** Sequences of the deliveries that are leased now. */
  leased(): number[];
  parseCursor(cursor: Cursor): number;
}

interface SeqPage<Row> {
  rows: { seq: number; row: Row }[];
  hasMore: boolean;
  head: number;
}

/** The reading half of the port: asks the reader thread, and shows as SENDING what has a lease out. */
export function createSqliteReader(deps: ReaderDeps): StoreReader {
  const toPage = <Row>({ rows, hasMore, head }: SeqPage<Row>): Page<Row> => ({
    rows: rows.map(({ seq, row }) => ({ cursor: formatCursor(deps.epoch, seq), row })),
    hasMore,
    head: formatCursor(deps.epoch, head),
  });
  const afterSeq = (after: Cursor | null): number | null => (after === null ? null : deps.parseCursor(after));
  const showLeases = <Row extends DeliveryRow | null>(rows: Row[]): Row[] => {
    const leased = new Set(deps.leased());
    return rows.map((row) =>
      row && leased.has(parseDeliveryId(row.id) ?? -1)
        ? { ...row, status: 'SENDING', nextAttemptAt: null }
        : row,
    );
  };
  return {
    async events(query) {
      return toPage(
        await deps.read<SeqPage<Event>>({ kind: 'events', query, afterSeq: afterSeq(query.after) }),
      );
    },
    async deliveries(query) {
      const leased = query.where.statuses ? deps.leased() : [];
      const page = await deps.read<SeqPage<DeliveryRow>>({
        kind: 'deliveries',
        query,
        afterSeq: afterSeq(query.after),
        leased,
      });
      const shown = showLeases(page.rows.map(({ row }) => row));
      return toPage({ ...page, rows: page.rows.map(({ seq }, index) => ({ seq, row: shown[index]! })) });
    },
    eventsById: (ids) => deps.read<(Event | null)[]>({ kind: 'events-by-id', ids }),
    async deliveriesById(ids) {
      return showLeases(await deps.read<(DeliveryRow | null)[]>({ kind: 'deliveries-by-id', ids }));
    },
    attempts: (ids) => deps.read<Attempt[][]>({ kind: 'attempts', ids }),
    backlog: () => deps.read<Backlog>({ kind: 'backlog', now: deps.now() }),
  };
}
