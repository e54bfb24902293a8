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
  readonly #onReturn: () => void;

  /** @param onReturn called once, when the consumer or the feeder ends it. */
  constructor(onReturn: () => void = () => {}) {
    this.#onReturn = onReturn;
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
    this.#onReturn();
  }

  next(): Promise<IteratorResult<Item>> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve({ done: false, value: item });
    if (this.#failure) {
      const { error } = this.#failure;
      this.#failure = null;
      return Promise.reject(error as Error);
    }
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Item>> {
    this.#items.length = 0;
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
