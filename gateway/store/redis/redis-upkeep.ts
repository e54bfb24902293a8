import type { Clock } from '../../clock.ts';
import type { LocalClaims } from './local-claims.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisTimers } from './redis-timers.ts';
import type { RedisWriter } from './redis-writer.ts';

export interface RedisUpkeepOptions {
  connection: RedisConnection;
  clock: Clock;
  /** Names this process among those of the installation. */
  process: string;
  /** It counts as gone where it was not heard of for this long. */
  aliveMs: number;
  claims: LocalClaims;
  writer: RedisWriter;
  timers: RedisTimers;
}

/** How often each process says that it is there, and looks after what ran out anywhere. */
const EVERY_MS = 1_000;
const LEASES_PER_SWEEP = 500;
const EVENTS_PER_PRUNE = 100;
const EXAMINED_PER_PRUNE = 300;

/**
 * What every process does for all of them: takes back leases that ran out and those of processes that are gone, and
 * takes work and timers that nobody else has taken.
 */
export class RedisUpkeep {
  readonly #options: RedisUpkeepOptions;
  #cancel = (): void => {};
  #isSweeping = false;
  #closed = false;

  constructor(options: RedisUpkeepOptions) {
    this.#options = options;
    this.#plan();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #plan(): void {
    const { clock } = this.#options;
    this.#cancel = clock.wakeAt(clock.now() + EVERY_MS, () => {
      this.#plan();
      if (!this.#isSweeping) void this.#sweep();
    });
  }

  async #sweep(): Promise<void> {
    const { clock, claims, writer, timers } = this.#options;
    this.#isSweeping = true;
    claims.expire(clock.now());
    try {
      while (!this.#closed && (await this.#sweepSome()));
      // Work that another process was told of and did not live to take.
      writer.look(claims.pools);
      timers.take();
    } catch {
      // Out of reach; it is looked after again in a moment.
    }
    this.#isSweeping = false;
  }

  /** @returns whether there is more. */
  #sweepSome(): Promise<boolean> {
    const { connection, writer, process, aliveMs } = this.#options;
    const request = { process, aliveMs, limit: LEASES_PER_SWEEP };
    return writer.run(
      () => connection.run<{ more: boolean }>('sweep', request),
      ({ more }) => more,
    );
  }
}

/** @returns how many events went: fewer than `limit` where nothing is left to do. */
export async function pruneInSlices(
  connection: RedisConnection,
  { limit, ...options }: { before: number; rememberIdsMs: number; limit: number },
): Promise<number> {
  let gone = 0;
  let done = false;
  while (!done && gone < limit) {
    const slice = { limit: Math.min(limit - gone, EVENTS_PER_PRUNE), examine: EXAMINED_PER_PRUNE };
    const { result } = await connection.run<{ gone: number; done: boolean }>('prune', {
      ...options,
      ...slice,
    });
    gone += result.gone;
    done = result.done;
  }
  return gone;
}
