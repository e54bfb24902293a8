import { formatCursor, cursorExpired, parseCursor, type Cursor, type JournalEntry } from '../journal.ts';
import type { PlacedEntry } from '../entry-ring.ts';
import { JournalRing, type StoredSlice } from '../journal-ring.ts';
import type { Event } from '../../events/event.ts';
import type { DeliveryRow } from '../store-reader.ts';
import type { DeliveryStatus } from '../store.ts';
import { readDeliveries } from './delivery-rows.ts';
import { readEventText } from './event-text.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { StreamEntry } from './redis-listener.ts';

/** A change as it stands in the journal: of an event, its id; of a delivery, its seq and what had changed of it. */
type StoredChange = [seq: number, at: number, eventId: string] | StoredDeliveryChange;

type StoredDeliveryChange = [
  seq: number,
  at: number,
  delivery: number,
  status: DeliveryStatus,
  reason: string | null,
  attemptCount: number,
  generation: number,
  step: number,
  nextAttemptAt: number | null,
  completedAt: number | null,
];

export interface RedisJournalOptions {
  epoch: string;
  /** Reads go here, so that they never stand in the way of an append. */
  reader: RedisConnection;
  /** What is asked here comes after all that was sent before it. */
  main: RedisConnection;
  /** Starts and stops the reading of the live end. */
  onFollowed(place: number | null): void;
}

const ENTRIES_PER_SLICE = 4;

/** Follows the stream `journal`: its live end through a ring in memory, what is older by ranges. */
export class RedisJournal {
  readonly #options: RedisJournalOptions;
  readonly #ring: JournalRing;
  /** Counts the followings of the live end: what was read for an earlier one is of no use to the next. */
  #following = 0;

  constructor(options: RedisJournalOptions) {
    this.#options = options;
    this.#ring = new JournalRing({
      epoch: options.epoch,
      readSlice: (after) => this.#readSlice(after),
      onFollowed: (place) => {
        this.#following++;
        options.onFollowed(place);
      },
    });
  }

  follow(after: Cursor | null, signal: AbortSignal): AsyncIterableIterator<readonly JournalEntry[]> {
    return this.#ring.follow(this.#findPlace(after), signal);
  }

  async head(): Promise<Cursor> {
    return formatCursor(this.#options.epoch, (await this.#ends()).head);
  }

  /** The newest entries of the stream, as they come. */
  async extend(entries: readonly StreamEntry[]): Promise<void> {
    const following = this.#following;
    const placed = await this.#place(entries, 0);
    if (following === this.#following) this.#ring.extend(placed, placeOf(entries.at(-1)!));
  }

  close(): void {
    this.#ring.close();
  }

  async #findPlace(after: Cursor | null): Promise<number> {
    const { epoch } = this.#options;
    const { head, oldest } = await this.#ends();
    if (after === null) return head;
    const newest = formatCursor(epoch, head);
    const place = parseCursor(epoch, after, newest);
    // A place that was never given: it would wait for what has happened already.
    if (place > head) throw cursorExpired(newest);
    if (place < oldest) throw cursorExpired(formatCursor(epoch, oldest));
    return place;
  }

  async #ends(): Promise<{ head: number; oldest: number }> {
    const { main } = this.#options;
    const [head, oldest] = await main.send((redis) => redis.hmget(main.key('meta'), 'seq', 'oldest'));
    return { head: Number(head ?? 0), oldest: Number(oldest ?? 0) };
  }

  async #readSlice(after: number): Promise<StoredSlice> {
    const { reader } = this.#options;
    const meta = reader.key('meta');
    // In this order: all up to the head is in the range, and what was cut away before the range was read shows.
    const [head, entries, oldest] = await Promise.all([
      reader.send((redis) => redis.hget(meta, 'seq')),
      reader.send((redis) =>
        redis.xrange(reader.key('journal'), `(${after}-0`, '+', 'COUNT', ENTRIES_PER_SLICE),
      ),
      reader.send((redis) => redis.hget(meta, 'oldest')),
    ]);
    const last = entries.at(-1);
    const upTo = last ? placeOf(last) : after;
    return {
      entries: await this.#place(entries, after),
      oldest: Number(oldest ?? 0),
      upTo: entries.length < ENTRIES_PER_SLICE ? Math.max(upTo, Number(head ?? 0)) : upTo,
    };
  }

  /** Reads what entries speak of; what is forgotten is left out. */
  async #place(entries: readonly StreamEntry[], after: number): Promise<PlacedEntry[]> {
    const changes = entries.flatMap(readChanges).filter(([seq]) => seq > after);
    const ids = new Set<string>();
    const seqs = new Set<number>();
    for (const [, , subject] of changes) {
      if (typeof subject === 'string') ids.add(subject);
      else seqs.add(subject);
    }
    const [events, deliveries] = await Promise.all([this.#readEvents([...ids]), this.#readRows([...seqs])]);
    return changes.flatMap((change): PlacedEntry[] => {
      const [seq, at, subject] = change;
      const cursor = formatCursor(this.#options.epoch, seq);
      if (typeof subject === 'string') {
        const event = events.get(subject);
        return event
          ? [{ seq, bytes: 300 + event.body.length, entry: { kind: 'event', cursor, at, event } }]
          : [];
      }
      const row = deliveries.get(subject);
      if (!row) return [];
      const delivery = asOf(row, change as StoredDeliveryChange);
      return [
        { seq, bytes: 300 + (row.context?.length ?? 0), entry: { kind: 'delivery', cursor, at, delivery } },
      ];
    });
  }

  async #readEvents(ids: string[]): Promise<Map<string, Event>> {
    const events = new Map<string, Event>();
    if (ids.length === 0) return events;
    const { reader } = this.#options;
    const found = await reader.send((redis) => redis.hmget(reader.key('events'), ...ids));
    for (const stored of found) {
      if (stored === null) continue;
      const event = readEventText(stored);
      events.set(event.id, event);
    }
    return events;
  }

  /** As they are now: what never changes of them is what is needed. */
  async #readRows(seqs: number[]): Promise<Map<number, DeliveryRow>> {
    if (seqs.length === 0) return new Map();
    const rows = await readDeliveries(this.#options.reader, seqs);
    return new Map(rows.flatMap((row, index) => (row ? [[seqs[index]!, row] as const] : [])));
  }
}

/** A delivery as it was right after a change. */
function asOf(row: DeliveryRow, change: StoredDeliveryChange): DeliveryRow {
  const [, , , status, reason, attemptCount, generation, step, nextAttemptAt, completedAt] = change;
  return { ...row, status, reason, attemptCount, generation, step, nextAttemptAt, completedAt };
}

function placeOf([id]: StreamEntry): number {
  return Number.parseInt(id, 10);
}

function readChanges([, fields]: StreamEntry): StoredChange[] {
  return JSON.parse(fields[fields.indexOf('c') + 1]!) as StoredChange[];
}
