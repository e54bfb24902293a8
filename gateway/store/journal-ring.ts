import { EntryRing, type PlacedEntry } from './entry-ring.ts';
import { cursorExpired, formatCursor, type JournalEntry } from './journal.ts';
import { JournalFollower, type JournalSource } from './journal-follower.ts';

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
export class JournalRing implements JournalSource {
  readonly #options: JournalRingOptions;
  readonly #followers = new Set<JournalFollower>();
  #ring = new EntryRing(0);
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
    for (const entry of entries) if (entry.seq > this.#head) this.#ring.push(entry);
    this.#head = Math.max(this.#head, upTo);
    for (const follower of this.#followers) follower.wake();
  }

  /**
   * Everything after a place, which may be known later only: nothing is read before it is.
   * @throws from the iteration, what `place` rejects with, and CURSOR_EXPIRED where the journal was cut meanwhile
   */
  follow(place: Promise<number>, signal: AbortSignal): AsyncIterableIterator<readonly JournalEntry[]> {
    const follower: JournalFollower = new JournalFollower(
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
    if (this.#ring.covers(after)) return this.#ring.read(after, this.#head);
    const { entries, oldest, upTo } = await this.#options.readSlice(after);
    if (after < oldest) throw cursorExpired(formatCursor(this.#options.epoch, oldest));
    return { entries: entries.map(({ entry }) => entry), upTo: Math.max(after, upTo) };
  }

  /** The first follower says where the live end begins; later ones find the ring as it is. */
  #begin(place: number): number {
    if (this.#isLive || this.#followers.size === 0) return place;
    this.#isLive = true;
    this.#ring = new EntryRing(place);
    this.#head = place;
    this.#options.onFollowed(place);
    return place;
  }

  #leave(follower: JournalFollower): void {
    if (!this.#followers.delete(follower) || this.#followers.size > 0 || !this.#isLive) return;
    this.#isLive = false;
    this.#options.onFollowed(null);
  }
}
