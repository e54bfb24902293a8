import type { Clock } from '../../clock.ts';
import { PushQueue } from '../push-queue.ts';
import type { Timer, TimerChange } from '../store.ts';
import type { RedisConnection } from './redis-connection.ts';

export interface RedisTimersOptions {
  connection: RedisConnection;
  clock: Clock;
}

const TIMERS_AT_ONCE = 256;

/** Durable timers: a sorted set for the whole installation; whoever takes one out of it has it. */
export class RedisTimers {
  readonly #options: RedisTimersOptions;
  readonly #queues = new Set<PushQueue<readonly Timer[]>>();
  #planned = { at: Infinity, cancel: (): void => {} };
  #taking: Promise<void> | null = null;
  #takeAgain = false;
  #closed = false;

  constructor(options: RedisTimersOptions) {
    this.#options = options;
  }

  async change(changes: readonly TimerChange[]): Promise<void> {
    if (changes.length === 0) return;
    const { connection, clock } = this.#options;
    const texts: string[] = [];
    const request = changes.map((change) =>
      change.dueAt === null ? [change.key, null] : [change.key, change.dueAt, texts.push(change.payload)],
    );
    const sentAt = clock.now();
    const { result } = await connection.run<{ dueAt: number | null; now: number }>(
      'change-timers',
      { changes: request },
      texts,
    );
    this.#plan(result.dueAt, result.now - sentAt);
  }

  claim(signal: AbortSignal): AsyncIterable<readonly Timer[]> {
    const queue: PushQueue<readonly Timer[]> = new PushQueue(() => this.#queues.delete(queue));
    this.#queues.add(queue);
    if (signal.aborted) queue.close();
    else signal.addEventListener('abort', () => queue.close(), { once: true });
    this.take();
    return queue;
  }

  /** Takes what is due, where somebody here waits for it. */
  take(): void {
    if (this.#queues.size === 0 || this.#closed) return;
    this.#takeAgain = this.#taking !== null;
    this.#taking ??= this.#takeAll();
  }

  /** Resolves when none is on its way here any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#planned.cancel();
    for (const queue of this.#queues) queue.close();
    await this.#taking;
  }

  async #takeAll(): Promise<void> {
    try {
      while (await this.#takeSome());
    } catch {
      // Whatever sees to it regularly asks again.
    }
    this.#taking = null;
    if (this.#takeAgain) this.take();
  }

  /** @returns whether more may be due. */
  async #takeSome(): Promise<boolean> {
    const { connection, clock } = this.#options;
    const sentAt = clock.now();
    const { result, text } = await connection.run<{
      timers?: [key: string, dueAt: number][];
      dueAt: number | null;
      now: number;
    }>('take-timers', { limit: TIMERS_AT_ONCE });
    const timers = (result.timers ?? []).map(([key, dueAt], index) => ({
      key,
      dueAt,
      payload: text(index + 1),
    }));
    const [queue] = this.#queues;
    if (timers.length > 0 && queue) queue.push(timers);
    // Nobody is left to take them: they go to whoever comes next.
    else if (timers.length > 0) await this.change(timers);
    this.#plan(result.dueAt, result.now - sentAt);
    return timers.length === TIMERS_AT_ONCE && this.#queues.size > 0;
  }

  /** @param dueAt Unix ms by the command's clock, which is `shiftMs` ahead of ours */
  #plan(dueAt: number | null, shiftMs: number): void {
    const at = dueAt === null ? Infinity : dueAt - shiftMs;
    if (at === this.#planned.at || this.#closed) return;
    this.#planned.cancel();
    this.#planned = { at, cancel: () => {} };
    if (at === Infinity) return;
    this.#planned.cancel = this.#options.clock.wakeAt(at, () => {
      this.#planned = { at: Infinity, cancel: () => {} };
      this.take();
    });
  }
}
