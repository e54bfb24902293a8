import { randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { formatDeliveryId } from '../delivery-id.ts';
import { formatCursor, type Cursor, type JournalEntry } from '../journal.ts';
import type { CommitResult, RecordChange, RecordNotice, RecordStore, StoredRecord } from '../records.ts';
import type { StoreReader } from '../store-reader.ts';
import type {
  AmendResult,
  Amendment,
  AppendResult,
  Claim,
  Debt,
  LaneSettings,
  LaneState,
  Lease,
  LeaseRef,
  NewEvent,
  Settlement,
  Store,
  Timer,
  TimerChange,
} from '../store.ts';
import { LocalClaims } from './local-claims.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisJournal } from './redis-journal.ts';
import { RedisListener, type StreamEntry } from './redis-listener.ts';
import { createRedisReader } from './redis-reader.ts';
import { RedisRecords } from './redis-records.ts';
import { checkServer } from './redis-server-check.ts';
import { RedisTasks } from './redis-tasks.ts';
import { RedisTimers } from './redis-timers.ts';
import { pruneInSlices, RedisUpkeep } from './redis-upkeep.ts';
import { RedisWriter } from './redis-writer.ts';

export interface RedisStoreOptions {
  /** `redis://host:6379/0`, or `rediss://` for TLS. */
  url: string;
  clock: Clock;
  /**
   * What is due and how long leases last goes by the clock of the Redis, which all processes share; `clock` only
   * wakes. Several processes need it. @default false
   */
  serverTime?: boolean;
  /** What all keys begin with; the braces keep them together in a cluster. @default `{hookline}:` */
  prefix?: string;
  log: { warn(fields: Record<string, unknown>, message: string): void };
  /**
   * Events that may wait to be sent; one more is refused with STORE_UNAVAILABLE.
   * @default 8192
   */
  maxWaitingEvents?: number;
  /** Their bytes together. @default 64 MiB */
  maxWaitingBytes?: number;
}

/** A process that was not heard of for this long is gone, and its leases with it. */
const ALIVE_MS = 8_000;
const WAKES_KEPT = 1000;

/**
 * The distributed adapter: any number of processes over one Redis.
 * @throws CONFIGURATION where the URL is none, or where the server would evict what it holds; STORE_UNAVAILABLE where
 *   it cannot be reached.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<Store & RecordStore> {
  const { url, clock, serverTime = false, prefix = '{hookline}:', log } = options;
  const shared = { url, prefix, now: () => clock.now(), serverTime };
  const process = randomBytes(6).toString('hex');
  let store: RedisStore | undefined;
  const opened: RedisConnection[] = [];
  const connect = async (role: string, more: { onReconnect?(): void } = {}): Promise<RedisConnection> => {
    const connection = await RedisConnection.open({
      ...shared,
      ...more,
      name: `hookline-${role}-${process}`,
    });
    opened.push(connection);
    return connection;
  };
  try {
    const main = await connect('main', { onReconnect: () => store?.resume() });
    await main.send((redis) => checkServer({ redis, log }));
    const [reading, listening] = await Promise.all([
      connect('reader'),
      connect('listener', {
        onReconnect: () => {
          store?.rehear().catch((error: unknown) => log.warn({ err: error }, 'changes may have been missed'));
        },
      }),
    ]);
    const { result } = await main.run<Joined>('join', {
      process,
      aliveMs: ALIVE_MS,
      epoch: randomBytes(6).toString('hex'),
    });
    store = new RedisStore({ ...options, process, main, reading, listening, joined: result });
    return store;
  } catch (error) {
    for (const connection of opened) connection.close();
    throw error;
  }
}

interface Joined {
  epoch: string;
  /** Ids of the newest entries of the streams `wake` and `feed`. */
  wake: string;
  feed: string;
}

interface RedisStoreParts extends RedisStoreOptions {
  process: string;
  main: RedisConnection;
  reading: RedisConnection;
  listening: RedisConnection;
  joined: Joined;
}

class RedisStore implements Store, RecordStore {
  readonly epoch: string;
  readonly reader: StoreReader;
  readonly #process: string;
  readonly #main: RedisConnection;
  readonly #reading: RedisConnection;
  readonly #claims = new LocalClaims();
  readonly #writer: RedisWriter;
  readonly #tasks: RedisTasks;
  readonly #timers: RedisTimers;
  readonly #records: RedisRecords;
  readonly #journal: RedisJournal;
  readonly #listener: RedisListener;
  /** Commands that do not wait for their turn: closing waits for them. */
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #upkeep: RedisUpkeep;
  #closing = false;

  constructor(parts: RedisStoreParts) {
    const { clock, process, main, reading, listening, joined } = parts;
    this.epoch = joined.epoch;
    this.#process = process;
    this.#main = main;
    this.#reading = reading;
    this.#writer = new RedisWriter({
      connection: main,
      clock,
      process,
      aliveMs: ALIVE_MS,
      claims: this.#claims,
      limits: {
        maxWaitingEvents: parts.maxWaitingEvents ?? 8192,
        maxWaitingBytes: parts.maxWaitingBytes ?? 64 * 1024 * 1024,
      },
    });
    this.#tasks = new RedisTasks({ connection: main, clock, claims: this.#claims, writer: this.#writer });
    this.#timers = new RedisTimers({ connection: main, clock });
    this.#records = new RedisRecords({ main, reader: reading, feedPlace: Number.parseInt(joined.feed, 10) });
    this.#journal = new RedisJournal({
      epoch: joined.epoch,
      main,
      reader: reading,
      onFollowed: (place) => this.#listener.followJournal(place),
    });
    this.#listener = new RedisListener({
      connection: listening,
      wakeId: joined.wake,
      feedId: joined.feed,
      kick: () => sendWake(main, process, ''),
      onWake: (entry) => this.#hearWake(entry),
      onFeed: (entries) => this.#records.hear(entries),
      onJournal: (entries) => this.#journal.extend(entries),
    });
    this.reader = createRedisReader({ epoch: joined.epoch, connection: reading });
    this.#listener.start();
    this.#upkeep = new RedisUpkeep({
      connection: main,
      clock,
      process,
      aliveMs: ALIVE_MS,
      claims: this.#claims,
      writer: this.#writer,
      timers: this.#timers,
    });
  }

  async append(events: readonly NewEvent[]): Promise<AppendResult[]> {
    const outcomes = await this.#writer.append(events);
    return outcomes.map((outcome) => {
      if ('duplicateOf' in outcome) return { kind: 'duplicate', id: outcome.duplicateOf };
      const [seq, ...deliveries] = outcome.seqs;
      return {
        kind: 'accepted',
        id: outcome.id,
        cursor: formatCursor(this.epoch, seq!),
        deliveryIds: deliveries.map(formatDeliveryId),
      };
    });
  }

  owe(debts: readonly Debt[], { again = false }: { again?: boolean } = {}): Promise<number> {
    return this.#tasks.owe(debts, again);
  }

  claim(claim: Claim): AsyncIterable<readonly Lease[]> {
    let handedBack = Promise.resolve();
    const queue = this.#claims.open(claim, (id, by) => {
      this.#claims.end(id);
      // A claimant that was told to stop keeps what it holds; one that leaves gives it back.
      if (by === 'consumer' && !this.#closing) handedBack = this.#writer.handBack(this.#claims.takeFrom(id));
    });
    if (claim.signal.aborted) queue.close();
    else claim.signal.addEventListener('abort', () => queue.close(), { once: true });
    this.#writer.look([claim.pool]);
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => queue.next(),
        return: async () => {
          const end = await queue.return();
          await handedBack;
          return end;
        },
      }),
    };
  }

  record(settlements: readonly Settlement[]): Promise<('recorded' | 'stale')[]> {
    return this.#writer.record(settlements);
  }

  renew(leases: readonly LeaseRef[], leaseMs: number): Promise<boolean[]> {
    return this.#tasks.renew(leases, leaseMs);
  }

  amend(amendment: Amendment): Promise<AmendResult> {
    return this.#tasks.amend(amendment);
  }

  setLanes(lanes: readonly LaneSettings[]): Promise<void> {
    return this.#tasks.setLanes(lanes);
  }

  laneStates(endpointIds: readonly string[]): Promise<LaneState[]> {
    return this.#tasks.laneStates(endpointIds);
  }

  changeTimers(changes: readonly TimerChange[]): Promise<void> {
    return this.#track(this.#timers.change(changes));
  }

  dueTimers(signal: AbortSignal): AsyncIterable<readonly Timer[]> {
    return this.#timers.claim(signal);
  }

  tail(after: Cursor | null, signal: AbortSignal): AsyncIterable<readonly JournalEntry[]> {
    return this.#journal.follow(after, signal);
  }

  async flush(): Promise<void> {
    const underWay = [...this.#underWay];
    await this.#writer.flush();
    await Promise.allSettled(underWay);
  }

  head(): Promise<Cursor> {
    return this.#journal.head();
  }

  prune(options: { before: number; rememberIdsMs: number; limit: number }): Promise<number> {
    return this.#track(pruneInSlices(this.#main, options));
  }

  get<Value>(collection: string, id: string): Promise<StoredRecord<Value> | null> {
    return this.#records.get(collection, id);
  }

  list<Value>(collection: string): Promise<StoredRecord<Value>[]> {
    return this.#records.list(collection);
  }

  commit(changes: readonly RecordChange[]): Promise<CommitResult> {
    return this.#track(this.#records.commit(changes));
  }

  watch(collections: readonly string[], signal: AbortSignal): AsyncIterable<readonly RecordNotice[]> {
    return this.#records.watch(collections, signal);
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#upkeep.close();
    this.#claims.close();
    const timersEnd = this.#timers.close();
    this.#records.close();
    this.#journal.close();
    await this.#writer.close();
    await Promise.allSettled([...this.#underWay, timersEnd]);
    // Where this fails, the others find out by themselves that this process is gone.
    await this.#main
      .run('hand-back', { process: this.#process, but: [], leaves: true })
      .catch(() => undefined);
    await this.#listener.close();
    this.#reading.close();
    this.#main.close();
  }

  /** The connection was lost and is there again. */
  resume(): void {
    if (!this.#closing) this.#writer.resume();
  }

  /** The listening connection was lost and is there again: has the server kept what was heard before? */
  async rehear(): Promise<void> {
    const key = this.#reading.key('feed');
    const [newest] = await this.#reading.send((redis) => redis.xrevrange(key, '+', '-', 'COUNT', 1));
    const place = newest ? Number.parseInt(newest[0], 10) : 0;
    if (place >= this.#records.place) return;
    this.#records.lose(place);
    this.#listener.skipFeedTo(`${place}-0`);
  }

  #track<Result>(work: Promise<Result>): Promise<Result> {
    this.#underWay.add(work);
    const forget = (): void => void this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }

  #hearWake([, fields]: StreamEntry): void {
    const [, to, , pool] = fields as [string, string, string, string];
    if (to === '') this.#timers.take();
    else if (to === this.#process && pool !== '') this.#writer.wake(pool);
  }
}

function sendWake(connection: RedisConnection, process: string, pool: string): Promise<unknown> {
  const key = connection.key('wake');
  return connection.send((redis) =>
    redis.xadd(key, 'MAXLEN', '~', WAKES_KEPT, '*', 'to', process, 'pool', pool),
  );
}
