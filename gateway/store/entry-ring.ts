import type { JournalEntry } from './journal.ts';

const MOST_ENTRIES = 4096;
const MOST_BYTES = 16 * 1024 * 1024;

/** How many entries a follower is given at a time. */
export const SLICE = 256;

/** An entry with its place in the journal and about how much memory it takes. */
export interface PlacedEntry {
  seq: number;
  bytes: number;
  entry: JournalEntry;
}

/** The newest entries of a journal, in memory while somebody follows it. */
export class EntryRing {
  #entries: PlacedEntry[] = [];
  #bytes = 0;
  #coveredFrom: number;

  /** @param coveredFrom it will have everything after this place */
  constructor(coveredFrom: number) {
    this.#coveredFrom = coveredFrom;
  }

  /** Whether everything after this place is in it. */
  covers(place: number): boolean {
    return place >= this.#coveredFrom;
  }

  /** Entries come in the order of their places. */
  push(placed: PlacedEntry): void {
    this.#entries.push(placed);
    this.#bytes += placed.bytes;
    // Trimmed in one go now and then: shifting one by one would move the whole ring for each entry.
    if (this.#entries.length < MOST_ENTRIES * 2 && this.#bytes < MOST_BYTES * 2) return;
    let drop = 0;
    while (this.#entries.length - drop > MOST_ENTRIES || this.#bytes > MOST_BYTES) {
      this.#bytes -= this.#entries[drop]!.bytes;
      this.#coveredFrom = this.#entries[drop]!.seq;
      drop++;
    }
    this.#entries = this.#entries.slice(drop);
  }

  /**
   * A slice of what comes after a place that it covers.
   * @param head up to where there is nothing else once its last entry is told
   */
  read(after: number, head: number): { entries: JournalEntry[]; upTo: number } {
    const start = this.#firstAfter(after);
    const found = this.#entries.slice(start, start + SLICE);
    const isAll = start + found.length === this.#entries.length;
    return {
      entries: found.map(({ entry }) => entry),
      upTo: isAll ? Math.max(after, head) : found.at(-1)!.seq,
    };
  }

  /** Index of the first entry beyond a place, by halving. */
  #firstAfter(place: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries[middle]!.seq > place) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
