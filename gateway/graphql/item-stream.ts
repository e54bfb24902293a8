/**
 * Turns a source of batches into a stream of single items, and lets go of the source at once when the reader
 * stops: also while it waits for the next batch. An async generator cannot do that; its `return` queues behind
 * the pending `next`, so that the source stays open until something happens.
 *
 * Pull-based: the source is asked for a batch only when the last item of the one before was taken.
 *
 * @param open gets the signal that ends the source; called at once
 * @param pick the item to hand on, or null for nothing
 * @param stop ends the stream from outside, as if the reader had stopped; null where nothing does
 */
export function streamItems<Entry, Item>(
  open: (signal: AbortSignal) => AsyncIterable<readonly Entry[]>,
  pick: (entry: Entry) => Item | null,
  stop: AbortSignal | null,
): AsyncIterableIterator<Item> {
  return new ItemStream(open, pick, stop);
}

class ItemStream<Entry, Item> implements AsyncIterableIterator<Item> {
  readonly #pick: (entry: Entry) => Item | null;
  readonly #stop: AbortSignal | null;
  readonly #source = new AbortController();
  readonly #batches: AsyncIterator<readonly Entry[]>;
  #batch: readonly Entry[] = [];
  #place = 0;
  #waiting: PromiseWithResolvers<IteratorResult<Item>> | null = null;
  #isOver = false;
  #released: Promise<void> = Promise.resolve();

  constructor(
    open: (signal: AbortSignal) => AsyncIterable<readonly Entry[]>,
    pick: (entry: Entry) => Item | null,
    stop: AbortSignal | null,
  ) {
    this.#pick = pick;
    this.#stop = stop;
    this.#batches = open(this.#source.signal)[Symbol.asyncIterator]();
    if (stop?.aborted === true) this.#end();
    else stop?.addEventListener('abort', this.#end, { once: true });
  }

  next(): Promise<IteratorResult<Item>> {
    if (this.#isOver) return Promise.resolve(OVER);
    const item = this.#takeFromBatch();
    if (item !== null) return Promise.resolve({ done: false, value: item });
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    void this.#pull();
    return promise;
  }

  /** Whoever waits is answered at once; resolves when the source has let go. */
  async return(): Promise<IteratorResult<Item>> {
    this.#end();
    await this.#released;
    return OVER;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #takeFromBatch(): Item | null {
    while (this.#place < this.#batch.length) {
      const item = this.#pick(this.#batch[this.#place++] as Entry);
      if (item !== null) return item;
    }
    return null;
  }

  /** Asks for batches until one has an item for whoever waits. Never rejects. */
  async #pull(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#batches.next();
        if (this.#isOver) return;
        if (done === true) return this.#end();
        this.#batch = value;
        this.#place = 0;
        const item = this.#takeFromBatch();
        if (item === null) continue;
        this.#waiting?.resolve({ done: false, value: item });
        this.#waiting = null;
        return;
      }
    } catch (error) {
      this.#waiting?.reject(error);
      this.#waiting = null;
      this.#end();
    }
  }

  readonly #end = (): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#batch = [];
    this.#stop?.removeEventListener('abort', this.#end);
    this.#waiting?.resolve(OVER);
    this.#waiting = null;
    this.#released = this.#release();
  };

  /** Never rejects: the reader is gone, and how the source fails while it closes concerns no one. */
  async #release(): Promise<void> {
    try {
      const returned = this.#batches.return?.();
      this.#source.abort();
      await returned;
    } catch {
      this.#source.abort();
    }
  }
}

const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };
