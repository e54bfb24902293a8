/**
 * An async iterable that is fed from outside and read by one consumer. Ends cleanly from either side: a
 * waiting `next()` never hangs after `close()` or `return()`.
 */
export class PushQueue<Item> implements AsyncIterableIterator<Item> {
  readonly #items: Item[] = [];
  #waiting: { resolve: (result: IteratorResult<Item>) => void; reject: (error: unknown) => void } | null =
    null;
  #closed = false;
  #failure: { error: unknown } | null = null;
  #onEnd: ((by: 'feeder' | 'consumer') => void) | null;

  /** @param onEnd called when the feeder ends it, and when the consumer leaves; each at most once. */
  constructor(onEnd: (by: 'feeder' | 'consumer') => void = () => {}) {
    this.#onEnd = onEnd;
  }

  push(item: Item): void {
    if (this.#closed) return;
    const waiting = this.#waiting;
    if (!waiting) {
      this.#items.push(item);
      return;
    }
    this.#waiting = null;
    waiting.resolve({ done: false, value: item });
  }

  /** What was pushed before is still handed out; after that the iteration ends, with `error` where given. */
  close(error?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    if (error !== undefined) this.#failure = { error };
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting) {
      if (this.#failure) waiting.reject(this.#failure.error);
      else waiting.resolve({ done: true, value: undefined });
    }
    this.#onEnd?.('feeder');
  }

  next(): Promise<IteratorResult<Item>> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve({ done: false, value: item });
    if (this.#failure) {
      const { error } = this.#failure;
      this.#failure = null;
      return Promise.reject(error);
    }
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Item>> {
    const onEnd = this.#onEnd;
    this.#onEnd = null;
    this.#items.length = 0;
    this.close();
    onEnd?.('consumer');
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
