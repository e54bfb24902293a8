import type { Clock } from '../../gateway/clock.ts';
import { PushQueue } from '../../gateway/store/push-queue.ts';
import type { RecordNotice, RecordStore, StoredRecord } from '../../gateway/store/records.ts';

/** A record store in memory, for tests of what stands on top of it. */
export interface MemoryRecords extends RecordStore {
  /** How many commits changed something so far. */
  readonly commits: number;
  /** How many watches are open. */
  readonly watches: number;
  /** Makes every open watch fail, as a lost connection would. */
  breakWatches(): void;
}

/** Values are copied on the way in and out, so that nobody shares objects with the store by accident. */
export function createMemoryRecords(clock: Pick<Clock, 'now'>): MemoryRecords {
  const stored = new Map<string, StoredRecord<unknown>>();
  const watchers = new Map<PushQueue<readonly RecordNotice[]>, readonly string[]>();
  const keyOf = (collection: string, id: string): string => `${collection}\n${id}`;
  let commits = 0;

  return {
    get commits() {
      return commits;
    },
    get watches() {
      return watchers.size;
    },
    breakWatches() {
      for (const queue of watchers.keys()) queue.close(new Error('the connection was lost'));
    },
    get<Value>(collection: string, id: string) {
      return Promise.resolve(copy((stored.get(keyOf(collection, id)) ?? null) as StoredRecord<Value> | null));
    },
    list<Value>(collection: string) {
      const found = [...stored.values()].filter((record) => record.collection === collection);
      return Promise.resolve(copy(found as StoredRecord<Value>[]));
    },
    commit(changes) {
      for (const { collection, id, ifVersion } of changes) {
        const version = stored.get(keyOf(collection, id))?.version ?? 0;
        if (ifVersion !== 'any' && ifVersion !== version) {
          return Promise.resolve({ kind: 'conflict', collection, id, version });
        }
      }
      const notices = changes.map(({ collection, id, value }): RecordNotice => {
        const key = keyOf(collection, id);
        const before = stored.get(key);
        const version = (before?.version ?? 0) + 1;
        const now = clock.now();
        if (value === null) stored.delete(key);
        else {
          const createdAt = before?.createdAt ?? now;
          stored.set(key, { collection, id, version, value: copy(value), createdAt, updatedAt: now });
        }
        return { collection, id, version, value: copy(value) };
      });
      if (notices.length > 0) commits += 1;
      for (const [queue, collections] of watchers) {
        const wanted = notices.filter(({ collection }) => collections.includes(collection));
        if (wanted.length > 0) queue.push(copy(wanted));
      }
      return Promise.resolve({ kind: 'committed', versions: notices.map(({ version }) => version) });
    },
    watch(collections, signal) {
      const queue = new PushQueue<readonly RecordNotice[]>(() => watchers.delete(queue));
      watchers.set(queue, collections);
      if (signal.aborted) queue.close();
      else signal.addEventListener('abort', () => queue.close(), { once: true });
      return queue;
    },
  };
}

/** The store holds JSON: what JSON cannot say does not come back. */
function copy<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
