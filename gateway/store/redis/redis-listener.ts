import type { RedisConnection } from './redis-connection.ts';

/** A stream's entry: its id, and field and value in turn. */
export type StreamEntry = [id: string, fields: string[]];

export interface ListenerOptions {
  /** Of its own: it waits for news most of the time. */
  connection: RedisConnection;
  /** Sends what ends the waiting. */
  kick(): Promise<unknown>;
  /** Ids after which to begin. */
  wakeId: string;
  feedId: string;
  /** This process is to look at a pool. */
  onWake(entry: StreamEntry): void;
  onFeed(entries: readonly StreamEntry[]): void;
  /** What was read counts as read when it resolves. */
  onJournal(entries: readonly StreamEntry[]): Promise<void>;
}

const BLOCK_MS = 5_000;
/** Each may speak of as many bytes of events as one command stores. */
const ENTRIES_AT_ONCE = 4;
const RETRY_MS = 200;

/**
 * Hears what other processes do, and this one too: one waiting read over the streams `wake`, `feed` and, while
 * somebody follows it, `journal`.
 */
export class RedisListener {
  readonly #options: ListenerOptions;
  readonly #after: { wake: string; feed: string; journal: string | null };
  #closed = false;
  #running: Promise<void> = Promise.resolve();
  #endPause = (): void => {};

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#after = { wake: options.wakeId, feed: options.feedId, journal: null };
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Reads the journal too, after this place; null: no longer. */
  followJournal(place: number | null): void {
    this.#after.journal = place === null ? null : `${place}-0`;
    // A read that waits already knows nothing of it. Where this fails, the wait ends by itself a little later.
    if (place !== null) this.#options.kick().catch(() => {});
  }

  /** Goes on from here: the server has lost what was heard before. */
  skipFeedTo(id: string): void {
    this.#after.feed = id;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#endPause();
    this.#options.connection.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#readOnce();
      } catch {
        // The connection comes back by itself; what is read next follows what was read last.
        if (!this.#closed) await this.#pause();
      }
    }
  }

  async #readOnce(): Promise<void> {
    const { connection } = this.#options;
    const after = Object.entries(this.#after).filter((entry): entry is [string, string] => entry[1] !== null);
    const news = await connection.send((redis) =>
      redis.xread(
        'COUNT',
        ENTRIES_AT_ONCE,
        'BLOCK',
        BLOCK_MS,
        'STREAMS',
        ...after.map(([name]) => connection.key(name)),
        ...after.map(([, id]) => id),
      ),
    );
    for (const [key, entries] of (news ?? []) as [string, StreamEntry[]][]) {
      if (key === connection.key('wake')) this.#hearWakes(entries);
      else if (key === connection.key('feed')) this.#hearFeed(entries);
      else await this.#hearJournal(entries);
    }
  }

  #hearWakes(entries: readonly StreamEntry[]): void {
    this.#after.wake = entries.at(-1)![0];
    for (const entry of entries) this.#options.onWake(entry);
  }

  #hearFeed(entries: readonly StreamEntry[]): void {
    this.#after.feed = entries.at(-1)![0];
    this.#options.onFeed(entries);
  }

  async #hearJournal(entries: readonly StreamEntry[]): Promise<void> {
    const before = this.#after.journal;
    await this.#options.onJournal(entries);
    // Whoever followed may have left meanwhile, and another one begun elsewhere.
    if (this.#after.journal === before) this.#after.journal = entries.at(-1)![0];
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RETRY_MS);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
