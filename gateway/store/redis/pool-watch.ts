import type { Clock } from '../../clock.ts';

/** What a look at a pool has told. */
export interface PoolLook {
  pool: string;
  /** Unix ms of the next delivery that falls due by itself; null for none. */
  dueAt: number | null;
  /** The lanes for which others know now that this process has room. */
  mask: number;
}

/**
 * Which pools this process has to look at, now and later, and for which of them the others know that it has room.
 */
export class PoolWatch {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #touched = new Set<string>();
  /** When the next delivery of a pool falls due by the passing of time: Unix ms. */
  readonly #dueAt = new Map<string, number>();
  readonly #masks = new Map<string, number>();
  #unmasked = 0;
  #planned = { at: Infinity, cancel: (): void => {} };

  /** @param onDue called when time has brought up pools to look at. */
  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get hasTouched(): boolean {
    return this.#touched.size > 0;
  }

  touch(pools: Iterable<string>): void {
    for (const pool of pools) this.#touched.add(pool);
  }

  /** @returns what is to be looked at now; it counts as looked at with this. */
  take(): Set<string> {
    const pools = this.#touched;
    this.#touched = new Set();
    return pools;
  }

  /** The lanes for which this process is known to have room: bit 0 first attempts, bit 1 retries. */
  maskOf(pool: string): number {
    return this.#masks.get(pool) ?? 0;
  }

  /** How often others ceased to count on this process: what a look tells of masks holds where this is the same. */
  get unmasked(): number {
    return this.#unmasked;
  }

  /** The others count no longer on this process; for one pool, or for all. */
  unmask(pool?: string): void {
    this.#unmasked++;
    if (pool === undefined) this.#masks.clear();
    else this.#masks.delete(pool);
  }

  /**
   * What a look at pools has told.
   * @param unmasked as it was when the look was asked for
   */
  note(looks: readonly PoolLook[], unmasked: number): void {
    for (const { pool, dueAt, mask } of looks) {
      if (mask === 0 || unmasked !== this.#unmasked) this.#masks.delete(pool);
      else this.#masks.set(pool, mask);
      if (dueAt === null) this.#dueAt.delete(pool);
      else this.#dueAt.set(pool, dueAt);
    }
    this.#plan();
  }

  close(): void {
    this.#planned.cancel();
    this.#dueAt.clear();
  }

  #plan(): void {
    let first = Infinity;
    for (const at of this.#dueAt.values()) if (at < first) first = at;
    if (first === this.#planned.at) return;
    this.#planned.cancel();
    this.#planned = {
      at: first,
      cancel: first === Infinity ? () => {} : this.#clock.wakeAt(first, () => this.#fallDue()),
    };
  }

  #fallDue(): void {
    const now = this.#clock.now();
    for (const [pool, at] of this.#dueAt) {
      if (at > now) continue;
      this.#touched.add(pool);
      this.#dueAt.delete(pool);
    }
    this.#planned = { at: Infinity, cancel: () => {} };
    this.#plan();
    this.#onDue();
  }
}
