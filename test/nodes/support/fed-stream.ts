/** An iterator that is fed from outside. */
export interface FedStream {
  push(value: object): void;
  iterable: AsyncIterableIterator<object>;
}

/** @param onEnd called when whoever reads it lets it go. */
export function createFedStream(onEnd: () => void): FedStream {
  const values: object[] = [];
  let wake: (() => void) | null = null;
  let isOver = false;
  return {
    push: (value) => {
      values.push(value);
      wake?.();
    },
    iterable: {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: async () => {
        while (values.length === 0 && !isOver) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const value = values.shift();
        return value === undefined ? { done: true, value: undefined } : { done: false, value };
      },
      return: () => {
        isOver = true;
        wake?.();
        onEnd();
        return Promise.resolve({ done: true, value: undefined });
      },
    },
  };
}
