import type { JournalEntry } from './journal.ts';

/** What a follower reads from. */
export interface JournalSource {
  /** Up to where there is something. */
  readonly head: number;
  /** What comes after this place: entries, and the place up to which there is nothing else. */
  read(after: number): Promise<{ entries: readonly JournalEntry[]; upTo: number }>;
}

/** One reader of a journal: pulls, never is pushed to, and holds nothing but its place. */
export class JournalFollower implements AsyncIterableIterator<readonly JournalEntry[]> {
  readonly #source: JournalSource;
  readonly #start: Promise<number>;
  readonly #onEnd: () => void;
  #place: number | null = null;
  #wake: (() => void) | null = null;
  #ended = false;

  /** @param start where it begins, which may be known later only: nothing is read before it is */
  constructor(source: JournalSource, start: Promise<number>, onEnd: () => void) {
    this.#source = source;
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

  /** There may be something new. */
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
    if (place >= this.#source.head) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      return [];
    }
    const { entries, upTo } = await this.#source.read(place);
    // Always onwards: a reader that came to the same place again would never let go of the process.
    this.#place = upTo > place ? upTo : this.#source.head;
    return entries;
  }
}
