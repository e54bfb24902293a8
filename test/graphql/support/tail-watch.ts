import { EventEmitter, once } from 'node:events';
import type { Store } from '../../../gateway/store/store.ts';

/** Counts how the journal of a store is followed. */
export interface TailWatch {
  /** Tails that are followed now. */
  readonly open: number;
  /** How many batches each tail was asked for so far, in the order in which they were opened. */
  readonly pulls: readonly number[];
  /** Resolves when this many are open. */
  untilOpen(count: number): Promise<void>;
}

/** Puts itself before `tail` of the store. */
export function watchTails(store: Store): TailWatch {
  const changes = new EventEmitter<{ change: [] }>();
  const tail = store.tail.bind(store);
  const open = new Set<number>();
  const pulls: number[] = [];
  store.tail = (after, signal) => {
    const source = tail(after, signal)[Symbol.asyncIterator]();
    const tailNumber = pulls.push(0) - 1;
    open.add(tailNumber);
    changes.emit('change');
    const end = (): void => {
      if (open.delete(tailNumber)) changes.emit('change');
    };
    signal.addEventListener('abort', end, { once: true });
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          pulls[tailNumber]! += 1;
          return source.next();
        },
        return: async () => {
          end();
          return (await source.return?.()) ?? { done: true, value: undefined };
        },
      }),
    };
  };
  return {
    get open() {
      return open.size;
    },
    pulls,
    untilOpen: async (count) => {
      while (open.size !== count) await once(changes, 'change');
    },
  };
}
