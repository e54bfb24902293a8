import { cursorExpired, formatCursor, type JournalEntry } from '../journal.ts';
import type { JournalItem, ReadRequest } from './sqlite-protocol.ts';
import type { JournalSlice } from './sqlite-reader.ts';
import type { Event } from '../../events/event.ts';

const RING_ENTRIES = 4096;
const RING_BYTES = 16 * 1024 * 1024;
const SLICE = 256;

type ReadSlice = (request: Extract<ReadRequest, { kind: 'journal' }>) => Promise<JournalSlice>;

interface PlacedEntry {
  seq: number;
  bytes: number;
  entry: JournalEntry;
}

/**
 * The live end of the journal and its followers. The newest entries are kept in memory while somebody follows;
 * a follower holds a cursor only, so a slow one costs nothing and reads what it missed from the tables.
 */
export class SqliteJournal {
  readonly #epoch: string;
  readonly #readSlice: ReadSlice;
  readonly #followers = new Set<Follower>();
  #ring: PlacedEntry[] = [];
  #ringBytes = 0;
  /** Everything after this place is in the ring. */
  #coveredFrom: number;
  #head: number;

  constructor(epoch: string, head: number, readSlice: ReadSlice) {
    this.#epoch = epoch;
    this.#head = head;
    this.#coveredFrom = head;
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
    if (!items) {
      this.#ring = [];
      this.#ringBytes = 0;
      this.#coveredFrom = head;
    } else {
      for (const item of items) this.#push(toEntry(this.#epoch, item, eventAt));
    }
    for (const follower of this.#followers) follower.wake();
  }

  follow(afterSeq: number | null, signal: AbortSignal): AsyncIterableIterator<readonly JournalEntry[]> {
    const follower = new Follower(this, afterSeq ?? this.#head, () => this.#followers.delete(follower));
    this.#followers.add(follower);
    if (signal.aborted) void follower.return();
    else signal.addEventListener('abort', () => void follower.return(), { once: true });
    return follower;
  }

  /** Ends all followers. */
  close(): void {
    for (const follower of this.#followers) void follower.return();
  }

  /** What comes after this place: entries, or the place up to which there is nothing to show. */
  async read(after: number): Promise<{ entries: JournalEntry[]; upTo: number }> {
    if (after >= this.#coveredFrom) {
      const start = firstAfter(this.#ring, after);
      const found = this.#ring.slice(start, start + SLICE);
      return { entries: found.map(({ entry }) => entry), upTo: found.at(-1)?.seq ?? after };
    }
    const slice = await this.#readSlice({ kind: 'journal', after, limit: SLICE });
    if (after < slice.oldest) throw cursorExpired(formatCursor(this.#epoch, slice.oldest));
    const entries = slice.entries.map((item) => toEntry(this.#epoch, item, () => undefined as never).entry);
    return { entries, upTo: Math.max(after, slice.upTo) };
  }

  #push(placed: PlacedEntry): void {
    this.#ring.push(placed);
    this.#ringBytes += placed.bytes;
    // Trimmed in one go now and then: shifting one by one would move the whole ring for each entry.
    if (this.#ring.length < RING_ENTRIES * 2 && this.#ringBytes < RING_BYTES * 2) return;
    let drop = 0;
    while (this.#ring.length - drop > RING_ENTRIES || this.#ringBytes > RING_BYTES) {
      this.#ringBytes -= this.#ring[drop]!.bytes;
      this.#coveredFrom = this.#ring[drop]!.seq;
      drop++;
    }
    this.#ring = this.#ring.slice(drop);
  }
}

/** One reader of the journal: pulls, never is pushed to. */
class Follower implements AsyncIterableIterator<readonly JournalEntry[]> {
  readonly #journal: SqliteJournal;
  readonly #onEnd: () => void;
  #place: number;
  #wake: (() => void) | null = null;
  #ended = false;

  constructor(journal: SqliteJournal, place: number, onEnd: () => void) {
    this.#journal = journal;
    this.#place = place;
    this.#onEnd = onEnd;
  }

  async next(): Promise<IteratorResult<readonly JournalEntry[]>> {
    while (!this.#ended) {
      if (this.#place >= this.#journal.head) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const { entries, upTo } = await this.#journal.read(this.#place);
      // Always onwards: a reader that came to the same place again would never let go of the process.
      this.#place = upTo > this.#place ? upTo : this.#journal.head;
      if (entries.length > 0 && !this.#ended) return { done: false, value: entries };
    }
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<readonly JournalEntry[]>> {
    this.#ended = true;
    this.#onEnd();
    this.wake();
    return Promise.resolve({ done: true, value: undefined });
  }

  wake(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  [Symbol.asyncIterator](): this {
    return this;
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

/** Index of the first entry beyond a place, by halving. */
function firstAfter(ring: readonly PlacedEntry[], place: number): number {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ring[middle]!.seq > place) high = middle;
    else low = middle + 1;
  }
  return low;
}
