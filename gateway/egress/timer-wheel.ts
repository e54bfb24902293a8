import type { Clock } from '../clock.ts';

/** Something with a deadline. The wheel writes `dueTick`; an entry is in one wheel at a time. */
export interface WheelEntry {
  dueTick: number;
  /** Called once, at or after the deadline, unless removed before. Must not throw. */
  expire(): void;
}

/** Many deadlines on one timer: adding and removing cost a set operation, and a deadline is never early. */
export interface TimerWheel {
  /** @param now the clock's time, which the caller has at hand; Unix milliseconds */
  add(entry: WheelEntry, delayMs: number, now: number): void;
  /** Harmless when the entry has expired or was never added. */
  remove(entry: WheelEntry): void;
  /** How many entries wait. */
  readonly size: number;
  /** Forgets all entries without expiring them, and stops the timer. */
  close(): void;
}

/** How late a deadline may be, beside the delay of the event loop. */
export const TICK_MS = 50;

/** A power of two; deadlines beyond one turn (25.6 s) simply stay in their slot for another one. */
const SLOTS = 512;

/**
 * A hashed timer wheel. undici's own time-outs are coarse (half a second) and an AbortSignal per request
 * costs a third of the request; this costs next to nothing.
 *
 * The clock may be set while requests wait: set forward, what then lies past its deadline expires; set back,
 * the wheel goes on from where it was.
 */
export function createTimerWheel(clock: Clock): TimerWheel {
  const slots = Array.from({ length: SLOTS }, () => new Set<WheelEntry>());
  let base = clock.now();
  let lastTick = 0;
  let size = 0;
  let cancelWake: (() => void) | undefined;

  const tickAt = (now: number): number => {
    const tick = Math.floor((now - base) / TICK_MS);
    if (tick >= lastTick) return tick;
    base = now - lastTick * TICK_MS;
    return lastTick;
  };

  const arm = (): void => {
    cancelWake = clock.wakeAt(base + (lastTick + 1) * TICK_MS, turn);
  };

  const turn = (): void => {
    cancelWake = undefined;
    const current = tickAt(clock.now());
    const from = Math.max(lastTick + 1, current - SLOTS + 1);
    lastTick = current;
    for (let tick = from; tick <= current; tick++) {
      const slot = slots[tick & (SLOTS - 1)]!;
      for (const entry of slot) {
        if (entry.dueTick > current) continue;
        slot.delete(entry);
        size--;
        entry.expire();
      }
    }
    if (size > 0 && cancelWake === undefined) arm();
  };

  return {
    add(entry, delayMs, now) {
      const current = tickAt(now);
      if (size === 0 && cancelWake === undefined) lastTick = current;
      entry.dueTick = Math.max(current + 1, Math.ceil((now + delayMs - base) / TICK_MS));
      slots[entry.dueTick & (SLOTS - 1)]!.add(entry);
      size++;
      if (cancelWake === undefined) arm();
    },
    remove(entry) {
      if (slots[entry.dueTick & (SLOTS - 1)]!.delete(entry)) size--;
    },
    get size() {
      return size;
    },
    close() {
      cancelWake?.();
      cancelWake = undefined;
      for (const slot of slots) slot.clear();
      size = 0;
    },
  };
}
