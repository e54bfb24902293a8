import { HooklineError } from '../../errors.ts';
import type { NewEvent, Settlement } from '../store.ts';
import {
  AppendQueue,
  makeWaiting,
  type AppendLimits,
  type AppendOutcome,
  type Waiting,
} from './append-queue.ts';
import { firstTry } from './id-conflict.ts';
import { PoolWatch } from './pool-watch.ts';
import type { ScriptAnswer } from './redis-connection.ts';
import { isFault, toStoreError } from './redis-error.ts';
import {
  sendCommit,
  type Commit,
  type CommitOutcome,
  type CommitSender,
  type WaitingSettlement,
} from './send-commit.ts';

export interface RedisWriterOptions extends Omit<CommitSender, 'maskOf'> {
  limits: AppendLimits;
}

const SETTLEMENTS_PER_COMMIT = 1024;
const RETRY_MS = 1000;

/**
 * What changes the store, in groups: what arrives while a command is on its way goes out with the next one, and the
 * leases that come back are handed to the claims of this process.
 */
export class RedisWriter {
  readonly #options: RedisWriterOptions;
  readonly #sender: CommitSender;
  readonly #pools: PoolWatch;
  readonly #appends: AppendQueue;
  #settlements: WaitingSettlement[] = [];
  #tasks: Waiting<() => Promise<unknown>, unknown>[] = [];
  /** Settlements whose command failed: kept back until it is tried again. */
  #unsettled: WaitingSettlement[] = [];
  #cancelRetry: (() => void) | null = null;
  /** An answer was lost: leases may be out that nobody here knows of. */
  #isUnsure = false;
  /** The last numbers that were given here: a server that has lost some must not give them again. */
  readonly #seen = { seq: 0, token: 0 };
  #busy = false;
  #underWay: Promise<unknown> = Promise.resolve();
  #scheduled = false;
  #idle: (() => void)[] = [];
  #closing = false;

  constructor(options: RedisWriterOptions) {
    this.#options = options;
    this.#appends = new AppendQueue(options.limits);
    this.#pools = new PoolWatch(options.clock, () => this.#schedule());
    this.#sender = { ...options, maskOf: (pool) => this.#pools.maskOf(pool) };
  }

  /** @throws STORE_UNAVAILABLE where too much waits already: nothing of this call is stored then. */
  async append(events: readonly NewEvent[]): Promise<AppendOutcome[]> {
    if (this.#closing)
      throw new HooklineError('STORE_UNAVAILABLE', 'The store is closing; send it again after the restart.');
    const outcomes = this.#appends.add(events);
    this.#schedule();
    return outcomes;
  }

  record(settlements: readonly Settlement[]): Promise<('recorded' | 'stale')[]> {
    const waiting = settlements.map((settlement): WaitingSettlement => {
      return makeWaiting({ settlement, causes: settlement.causes.map(firstTry) });
    });
    this.#settlements.push(...waiting);
    this.#schedule();
    return Promise.all(waiting.map(({ promise }) => promise));
  }

  /** Runs when all that was handed in before is on its way; pools that the answer names are looked at after it. */
  run<Result extends object, Output>(
    send: () => Promise<ScriptAnswer<Result & { pools?: string[] }>>,
    read: (result: Result) => Output,
  ): Promise<Output> {
    const task = makeWaiting<() => Promise<unknown>, unknown>(async () => {
      const { result } = await send();
      this.#pools.touch(result.pools ?? []);
      return read(result);
    });
    this.#tasks.push(task);
    this.#schedule();
    return task.promise as Promise<Output>;
  }

  /** These leases are due again at once. */
  async handBack(leases: readonly { seq: number; token: number }[]): Promise<void> {
    if (leases.length === 0) return;
    const { connection } = this.#options;
    const refs = leases.map(({ seq, token }) => [seq, token]);
    try {
      await this.run(
        () => connection.run<object>('hand-back', { leases: refs }),
        () => {},
      );
    } catch {
      // They are not known here any more: that comes out when the connection is there again.
      this.#isUnsure = true;
    }
  }

  /** Something may be due there, or there is room now: grants what may go. */
  look(pools: Iterable<string>): void {
    this.#pools.touch(pools);
    this.#schedule();
  }

  /** Another process has work for this pool, and counts no longer on this one. */
  wake(pool: string): void {
    this.#pools.unmask(pool);
    this.look([pool]);
  }

  /** The connection is there again: nothing that was on its way is known to have arrived. */
  resume(): void {
    this.#isUnsure = true;
    this.#pools.unmask();
    this.#retry();
  }

  /** Resolves when all that was handed in before is durable, or has failed. */
  async flush(): Promise<void> {
    const waiting = [...this.#settlements, ...this.#unsettled, ...this.#tasks];
    const promises = waiting.map(({ promise }) => promise as Promise<unknown>);
    await Promise.allSettled([this.#underWay, ...this.#appends.promises, ...promises]);
  }

  /** Takes nothing new; resolves when all that was handed in is done. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#pools.close();
    this.#cancelRetry?.();
    for (const { reject } of this.#unsettled.splice(0)) reject(toStoreError(null));
    if (this.#busy || this.#scheduled) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#pools.close();
  }

  /** What arrives in one turn of the event loop shares a command. */
  #schedule(): void {
    if (this.#busy || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    this.#busy = true;
    const appends = this.#appends.take();
    const settlements = this.#settlements.splice(0, SETTLEMENTS_PER_COMMIT);
    const pools = this.#pools.take();
    const isCommit = appends.length + settlements.length + pools.size > 0;
    this.#underWay = Promise.all([
      this.#isUnsure ? this.#reconcile() : null,
      isCommit ? this.#commit({ appends, settlements, pools }) : null,
      ...this.#tasks.splice(0).map(({ input, resolve, reject }) => input().then(resolve, reject)),
    ]);
    await this.#underWay;
    this.#busy = false;
    const isIdle = this.#appends.size + this.#settlements.length + this.#tasks.length === 0;
    if (!isIdle || this.#pools.hasTouched) void this.#flush();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #commit(commit: Commit): Promise<void> {
    const { unmasked } = this.#pools;
    let outcome: CommitOutcome;
    try {
      outcome = await sendCommit(this.#sender, commit);
    } catch (error) {
      await this.#commitFailed(commit, toStoreError(error));
      return;
    }
    const { again, unwanted, looks, seq, token } = outcome;
    this.#seen.seq = Math.max(this.#seen.seq, seq);
    this.#seen.token = Math.max(this.#seen.token, token);
    for (const waiting of again.appends.toReversed()) this.#appends.addFirst(waiting);
    this.#settlements.push(...again.settlements);
    void this.handBack(unwanted);
    if (!this.#closing) this.#pools.note(looks, unmasked);
  }

  async #commitFailed(commit: Commit, error: HooklineError): Promise<void> {
    const { appends, settlements } = commit;
    if (isFault(error) && appends.length + settlements.length > 0) {
      await this.#commitApart(commit, error);
      return;
    }
    this.#isUnsure = true;
    this.#pools.unmask();
    for (const { reject } of appends) reject(error);
    if (this.#closing) {
      for (const { reject } of settlements) reject(error);
      return;
    }
    // What was tried must not be forgotten because the connection was gone for a moment.
    this.#unsettled.push(...settlements);
    const { clock } = this.#options;
    this.#cancelRetry ??= clock.wakeAt(clock.now() + RETRY_MS, () => this.#retry());
  }

  /** Something in it cannot be stored: found by halving, so that it fails alone. */
  async #commitApart({ appends, settlements, pools }: Commit, error: HooklineError): Promise<void> {
    if (appends.length + settlements.length === 1) {
      for (const { reject } of [...appends, ...settlements]) reject(error);
      this.#pools.touch(pools);
      return;
    }
    const isMixed = appends.length > 0 && settlements.length > 0;
    const someAppends = isMixed ? appends.length : appends.length >> 1;
    const someSettlements = isMixed ? 0 : settlements.length >> 1;
    await this.#commit({
      appends: appends.slice(0, someAppends),
      settlements: settlements.slice(0, someSettlements),
      pools,
    });
    await this.#commit({
      appends: appends.slice(someAppends),
      settlements: settlements.slice(someSettlements),
      pools,
    });
  }

  #retry(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#settlements.push(...this.#unsettled.splice(0));
    this.look(this.#options.claims.pools);
  }

  /** Goes before the next commit: what this process was granted and never heard of is due again. */
  async #reconcile(): Promise<void> {
    const { connection, claims, process } = this.#options;
    this.#isUnsure = false;
    const but = Array.from(claims.leases, ({ seq, token }) => [seq, token]);
    const seen = [this.#seen.seq, this.#seen.token];
    try {
      const { result } = await connection.run<{ pools?: string[] }>('hand-back', { process, but, seen });
      this.#pools.touch(result.pools ?? []);
    } catch {
      this.#isUnsure = true;
    }
  }
}
