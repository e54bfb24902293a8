import { cursorExpired, formatCursor, type JournalEntry } from './journal.ts';

const RING_ENTRIES = 4096;
const RING_BYTES = 16 * 1024 * 1024;
const SLICE = 256;

/** An entry with its place in the journal and about how much memory it takes. */
export interface PlacedEntry {
  seq: number;
  bytes: number;
  entry: JournalEntry;
}

/** A stored stretch of the journal. */
export interface StoredSlice {
  entries: readonly PlacedEntry[];
  /** Everything after this place is still there. */
  oldest: number;
  /** The slice is complete up to here. */
  upTo: number;
}

export interface JournalRingOptions {
  epoch: string;
  /** Reads what is stored after a place, oldest first. */
  readSlice(after: number): Promise<StoredSlice>;
  /** Called when the first follower is there, with its place, and when the last one has gone, with null. */
  onFollowed(place: number | null): void;
}

/**
 * The live end of the journal and its followers. The newest entries are kept in memory while somebody follows;
 * a follower holds a place only, so a slow one costs nothing and reads what it missed from what is stored.
 */
export class JournalRing {
  readonly #options: JournalRingOptions;
  readonly #followers = new Set<Follower>();
  #ring: PlacedEntry[] = [];
  #ringBytes = 0;
  /** Everything from here up to the head is in the ring. */
  #coveredFrom = 0;
  #head = 0;
  #isLive = false;

  constructor(options: JournalRingOptions) {
    this.#options = options;
  }

  /** Up to where the live end has been read. */
  get head(): number {
    return this.#head;
  }

  /** What came after the head, in order; `upTo`: nothing else did up to there. */
  extend(entries: readonly PlacedEntry[], upTo: number): void {
    for (const entry of entries) if (entry.seq > this.#head) this.#push(entry);
    this.#head = Math.max(this.#head, upTo);
    for (const follower of this.#followers) follower.wake();
  }

  /**
   * Everything after a place, which may be known later only: nothing is read before it is.
   * @throws from the iteration, what `place` rejects with, and CURSOR_EXPIRED where the journal was cut meanwhile
   */
  follow(place: Promise<number>, signal: AbortSignal): AsyncIterableIterator<readonly JournalEntry[]> {
    const follower: Follower = new Follower(
      this,
      place.then((from) => this.#begin(from)),
      () => this.#leave(follower),
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

  /** What comes after this place: entries, and the place up to which there is nothing else. */
  async read(after: number): Promise<{ entries: JournalEntry[]; upTo: number }> {
    if (after >= this.#coveredFrom) {
      const start = firstAfter(this.#ring, after);
      const found = this.#ring.slice(start, start + SLICE);
      const isAll = start + found.length === this.#ring.length;
      return {
        entries: found.map(({ entry }) => entry),
        upTo: isAll ? Math.max(after, this.#head) : found.at(-1)!.seq,
      };
    }
    const { entries, oldest, upTo } = await this.#options.readSlice(after);
    if (after < oldest) throw cursorExpired(formatCursor(this.#options.epoch, oldest));
    return { entries: entries.map(({ entry }) => entry), upTo: Math.max(after, upTo) };
  }

  /** The first follower says where the live end begins; later ones find the ring as it is. */
  #begin(place: number): number {
    if (this.#isLive || this.#followers.size === 0) return place;
    this.#isLive = true;
    this.#ring = [];
    this.#ringBytes = 0;
    this.#coveredFrom = place;
    this.#head = place;
    this.#options.onFollowed(place);
    return place;
  }

  #leave(follower: Follower): void {
    if (!this.#followers.delete(follower) || this.#followers.size > 0 || !this.#isLive) return;
    this.#isLive = false;
    this.#options.onFollowed(null);
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
  readonly #ring: JournalRing;
  readonly #start: Promise<number>;
  readonly #onEnd: () => void;
  #place: number | null = null;
  #wake: (() => void) | null = null;
  #ended = false;

  constructor(ring: JournalRing, start: Promise<number>, onEnd: () => void) {
    this.#ring = ring;
    this.#start = start;
    this.#onEnd = onEnd;
    // Whoever reads learns of it; until then it must not count as unhandled.
    start.catch(() => {});
  }

  async next(): Promise<IteratorResult<readonly JournalEntry[]>> {
    try {
      this.#place ??= await this.#start;
      while (!this.#ended) {
        const entries = await this.#readOn(this.#place);
        if (entries.length > 0 && !this.#ended) return { done: false, value: entries };
      }
    } catch (error) {
      if (this.#ended) return { done: true, value: undefined };
      await this.return();
      throw error;
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

  /** @returns what comes next; nothing where it has waited instead. */
  async #readOn(place: number): Promise<readonly JournalEntry[]> {
    if (place >= this.#ring.head) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      return [];
    }
    const { entries, upTo } = await this.#ring.read(place);
    this.#place = upTo;
    return entries;
  }
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
