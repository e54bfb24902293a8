import { HooklineError } from '../../errors.ts';
import { PushQueue } from '../push-queue.ts';
import type { CommitResult, RecordChange, RecordNotice, RecordStore, StoredRecord } from '../records.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { StreamEntry } from './redis-listener.ts';

export interface RedisRecordsOptions {
  main: RedisConnection;
  reader: RedisConnection;
  /** Number of the newest entry of the feed. */
  feedPlace: number;
}

/** The quiet port: a hash per collection; changes go out over the stream `feed`. */
export class RedisRecords implements RecordStore {
  readonly #main: RedisConnection;
  readonly #reader: RedisConnection;
  readonly #watchers = new Set<{
    collections: ReadonlySet<string>;
    queue: PushQueue<readonly RecordNotice[]>;
  }>();
  #feedPlace: number;

  constructor({ main, reader, feedPlace }: RedisRecordsOptions) {
    this.#main = main;
    this.#reader = reader;
    this.#feedPlace = feedPlace;
  }

  async get<Value>(collection: string, id: string): Promise<StoredRecord<Value> | null> {
    const key = this.#reader.key(`rec:${collection}`);
    const stored = await this.#reader.send((redis) => redis.hget(key, id));
    return stored === null ? null : readRecord<Value>(collection, id, stored).record;
  }

  async list<Value>(collection: string): Promise<StoredRecord<Value>[]> {
    const key = this.#reader.key(`rec:${collection}`);
    const stored = await this.#reader.send((redis) => redis.hgetall(key));
    return Object.entries(stored)
      .map(([id, text]) => readRecord<Value>(collection, id, text))
      .toSorted((a, b) => a.place - b.place)
      .map(({ record }) => record);
  }

  async commit(changes: readonly RecordChange[]): Promise<CommitResult> {
    const texts: string[] = [];
    const request = changes.map(({ collection, id, value, ifVersion }) => [
      collection,
      id,
      ifVersion === 'any' ? -1 : ifVersion,
      value === null ? 0 : texts.push(JSON.stringify(value)),
    ]);
    const { result } = await this.#main.run<{
      conflict?: [collection: string, id: string, version: number];
      versions?: number[];
    }>('commit-records', { changes: request }, texts);
    if (!result.conflict) return { kind: 'committed', versions: result.versions ?? [] };
    const [collection, id, version] = result.conflict;
    return { kind: 'conflict', collection, id, version };
  }

  watch(collections: readonly string[], signal: AbortSignal): AsyncIterable<readonly RecordNotice[]> {
    const queue = new PushQueue<readonly RecordNotice[]>(() => this.#watchers.delete(watcher));
    const watcher = { collections: new Set(collections), queue };
    this.#watchers.add(watcher);
    if (signal.aborted) queue.close();
    else signal.addEventListener('abort', () => queue.close(), { once: true });
    return queue;
  }

  /** Number of the newest entry of the feed that was heard. */
  get place(): number {
    return this.#feedPlace;
  }

  /** New entries of the feed, in order. */
  hear(entries: readonly StreamEntry[]): void {
    for (const [id, fields] of entries) {
      const place = Number.parseInt(id, 10);
      // Cut away before this process had read it: whoever watches has to begin anew.
      if (place !== this.#feedPlace + 1) this.lose(place);
      this.#feedPlace = place;
      this.#tell(readNotices(fields));
    }
  }

  /**
   * Ends all watches with an error: changes may have been missed.
   * @param place number of the newest entry of the feed
   */
  lose(place: number): void {
    this.#feedPlace = place;
    const lost = new HooklineError(
      'STORE_UNAVAILABLE',
      'Changes may have been missed while Redis was out of reach; read the collection and watch it again.',
    );
    for (const { queue } of this.#watchers) queue.close(lost);
  }

  close(): void {
    for (const { queue } of this.#watchers) queue.close();
  }

  #tell(notices: readonly RecordNotice[]): void {
    for (const { collections, queue } of this.#watchers) {
      const wanted = notices.filter(({ collection }) => collections.has(collection));
      if (wanted.length > 0) queue.push(wanted);
    }
  }
}

/** The stored text: version, place, created and updated ms on one line, the value after it. */
function readRecord<Value>(
  collection: string,
  id: string,
  stored: string,
): { place: number; record: StoredRecord<Value> } {
  const valueFrom = stored.indexOf('\n') + 1;
  const [version, place, createdAt, updatedAt] = stored.slice(0, valueFrom).split(' ').map(Number);
  const value = JSON.parse(stored.slice(valueFrom)) as Value;
  return {
    place: place!,
    record: { collection, id, version: version!, value, createdAt: createdAt!, updatedAt: updatedAt! },
  };
}

/** See `lua/commit-records.lua`. */
function readNotices(fields: readonly string[]): RecordNotice[] {
  const changes = JSON.parse(fields[1]!) as [
    collection: string,
    id: string,
    version: number,
    value: string,
  ][];
  return changes.map(([collection, id, version, value]) => ({
    collection,
    id,
    version,
    value: value === '' ? null : (JSON.parse(value) as unknown),
  }));
}
