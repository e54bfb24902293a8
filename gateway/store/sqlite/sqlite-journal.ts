import type { Event } from '../../events/event.ts';
import { EntryRing, SLICE, type PlacedEntry } from '../entry-ring.ts';
import { cursorExpired, formatCursor, type JournalEntry } from '../journal.ts';
import { JournalFollower, type JournalSource } from '../journal-follower.ts';
import type { JournalItem, ReadRequest } from './sqlite-protocol.ts';
import type { JournalSlice } from './sqlite-reader.ts';

type ReadSlice = (request: Extract<ReadRequest, { kind: 'journal' }>) => Promise<JournalSlice>;

/**
 * The live end of the journal and its followers. The newest entries are kept in memory while somebody follows;
 * a slow follower costs nothing and reads what it missed from the tables.
 */
export class SqliteJournal implements JournalSource {
  readonly #epoch: string;
  readonly #readSlice: ReadSlice;
  readonly #followers = new Set<JournalFollower>();
  #ring: EntryRing;
  #head: number;

  constructor(epoch: string, head: number, readSlice: ReadSlice) {
    this.#epoch = epoch;
    this.#head = head;
    this.#ring = new EntryRing(head);
    this.#readSlice = readSlice;
  }

  get head(): number {
    return this.#head;
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  /** What a commit added; `items` is null where nobody followed when it was made. */
  extend(head: number, items: JournalItem[] | null, eventAt: (index: number) => Event): void {
    if (head === this.#head) return;
    this.#head = head;
    if (items) for (const item of items) this.#ring.push(toEntry(this.#epoch, item, eventAt));
    else this.#ring = new EntryRing(head);
    for (const follower of this.#followers) follower.wake();
  }

  follow(afterSeq: number | null, signal: AbortSignal): AsyncIterableIterator<readonly JournalEntry[]> {
    const start = Promise.resolve(afterSeq ?? this.#head);
    const follower: JournalFollower = new JournalFollower(this, start, () =>
      this.#followers.delete(follower),
    );
    this.#followers.add(follower);
    if (signal.aborted) void follower.return();
    else signal.addEventListener('abort', () => void follower.return(), { once: true });
    return follower;
  }

  /** Ends all followers. */
  close(): void {
    for (const follower of this.#followers) void follower.return();
  }

  async read(after: number): Promise<{ entries: JournalEntry[]; upTo: number }> {
    if (this.#ring.covers(after)) return this.#ring.read(after, this.#head);
    const slice = await this.#readSlice({ kind: 'journal', after, limit: SLICE });
    if (after < slice.oldest) throw cursorExpired(formatCursor(this.#epoch, slice.oldest));
    const entries = slice.entries.map((item) => toEntry(this.#epoch, item, () => undefined as never).entry);
    return { entries, upTo: Math.max(after, slice.upTo) };
  }
}

function toEntry(epoch: string, item: JournalItem, eventAt: (index: number) => Event): PlacedEntry {
  const cursor = formatCursor(epoch, item.seq);
  if ('delivery' in item) {
    return {
      seq: item.seq,
      bytes: 300,
      entry: { kind: 'delivery', cursor, at: item.at, delivery: item.delivery },
    };
  }
  const event = typeof item.event === 'number' ? eventAt(item.event) : item.event;
  return {
    seq: item.seq,
    bytes: 300 + event.body.length,
    entry: { kind: 'event', cursor, at: item.at, event },
  };
}
