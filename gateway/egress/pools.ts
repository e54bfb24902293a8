import { Pool } from 'undici';
import type { buildConnector } from 'undici';

/** Something to send over a connection of an origin. */
export interface Job {
  /** Called once, when a connection may be used or made. `OriginPool.release` must follow exactly once. */
  send(pool: Pool): void;
}

/** The connections to one origin, and what waits for one. */
export interface OriginPool {
  /** Sends now, or as soon as one of the connections is free; in the order of submitting. */
  submit(job: Job): void;
  /** Takes back a job that waits. @returns whether it did; otherwise it has been sent */
  withdraw(job: Job): boolean;
  /** A job that was sent is done with its connection. */
  release(): void;
  /** Nothing is sent and nothing waits. */
  readonly isIdle: boolean;
  /** The turn of the last use, for choosing which pool to close. */
  lastUsed: number;
  /** Set once the pool was closed to make room; ask for the origin again. */
  closed: boolean;
  destroy(): Promise<void>;
}

/** One pool per origin, a bounded number of them. */
export interface Pools {
  /** The pool of an origin (`https://host:port`), made when there is none. Counts as a use. */
  open(origin: string): OriginPool;
  /** Counts as a use. */
  touch(entry: OriginPool): void;
  /** How many origins have a pool. */
  readonly size: number;
  /** Ends all connections at once; requests still in flight fail. */
  close(): Promise<void>;
}

export interface PoolsOptions {
  connect: buildConnector.connector;
  connectionsPerOrigin: number;
  /** Beyond it, the pool that was idle longest is closed; pools in use are never closed for room. */
  maxOrigins: number;
}

/** Room for the headers of an answer, beyond what is kept, so that a long cookie does not hide a status. */
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * Connections are kept alive per origin and used for one request at a time: pipelining gains nothing and
 * makes one receiver's fault everyone's.
 */
export function createPools(options: PoolsOptions): Pools {
  const entries = new Map<string, OriginPool>();
  let turn = 0;

  const makeRoom = (): boolean => {
    let idlest: { origin: string; entry: OriginPool } | undefined;
    for (const [origin, entry] of entries) {
      if (!entry.isIdle) continue;
      if (idlest === undefined || entry.lastUsed < idlest.entry.lastUsed) idlest = { origin, entry };
    }
    if (idlest === undefined) return false;
    entries.delete(idlest.origin);
    idlest.entry.closed = true;
    // Nothing waits on an idle pool; that its sockets are gone interests nobody.
    void idlest.entry.destroy();
    return true;
  };

  return {
    open(origin) {
      let entry = entries.get(origin);
      if (entry === undefined) {
        while (entries.size >= options.maxOrigins && makeRoom());
        entry = openOrigin(origin, options);
        entries.set(origin, entry);
      }
      entry.lastUsed = ++turn;
      return entry;
    },
    touch(entry) {
      entry.lastUsed = ++turn;
    },
    get size() {
      return entries.size;
    },
    async close() {
      const open = [...entries.values()];
      entries.clear();
      for (const entry of open) entry.closed = true;
      await Promise.all(open.map((entry) => entry.destroy()));
    },
  };
}

/**
 * The waiting is done here and not in undici's pool, which cannot take a request back: to a host that is
 * down, requests would pile up in it faster than their connections time out, dead ones before live ones.
 */
function openOrigin(origin: string, { connect, connectionsPerOrigin }: PoolsOptions): OriginPool {
  const pool = new Pool(origin, {
    connect,
    connections: connectionsPerOrigin,
    pipelining: 1,
    allowH2: false,
    // Both are coarse and each costs a timer; the timer wheel bounds the whole attempt instead.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  const waiting = new Set<Job>();
  let busy = 0;
  let isHandingOver = false;

  return {
    submit(job) {
      if (busy >= connectionsPerOrigin) {
        waiting.add(job);
        return;
      }
      busy++;
      job.send(pool);
    },
    withdraw: (job) => waiting.delete(job),
    release() {
      busy--;
      // A job may fail within send and release at once: a loop, so that thousands of them are no recursion.
      if (isHandingOver || waiting.size === 0) return;
      isHandingOver = true;
      for (const job of waiting) {
        if (busy >= connectionsPerOrigin) break;
        waiting.delete(job);
        busy++;
        job.send(pool);
      }
      isHandingOver = false;
    },
    get isIdle() {
      return busy === 0 && waiting.size === 0;
    },
    lastUsed: 0,
    closed: false,
    destroy: () => pool.destroy(),
  };
}
