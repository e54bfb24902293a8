import type { Clock } from '../../gateway/clock.ts';

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #now: number;
  #sleepers: { at: number; order: number; wake: () => void }[] = [];
  #order = 0;

  constructor(now = Date.UTC(2026, 0, 15, 8, 0, 0)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  wakeAt(at: number, wake: () => void): () => void {
    const sleeper = { at, order: this.#order++, wake };
    this.#sleepers.push(sleeper);
    if (at <= this.#now) queueMicrotask(() => this.#ring());
    return () => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
    };
  }

  /** Goes on by this much, waking whoever falls due, in order of their times. */
  advance(ms: number): void {
    this.set(this.#now + ms);
  }

  set(now: number): void {
    this.#now = now;
    this.#ring();
  }

  /** The earliest wake-up asked for, null for none. */
  get nextWakeAt(): number | null {
    return this.#sleepers.reduce<number | null>(
      (first, { at }) => (first === null || at < first ? at : first),
      null,
    );
  }

  #ring(): void {
    for (;;) {
      const due = this.#sleepers
        .filter(({ at }) => at <= this.#now)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (!due) return;
      this.#sleepers = this.#sleepers.filter((other) => other !== due);
      due.wake();
    }
  }
}

export function createManualClock(now?: number): ManualClock {
  return new ManualClock(now);
}
