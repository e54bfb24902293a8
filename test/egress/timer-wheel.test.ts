import { describe, expect, test } from 'vitest';
import type { Clock } from '../../gateway/clock.ts';
import { TICK_MS, createTimerWheel } from '../../gateway/egress/timer-wheel.ts';
import type { WheelEntry } from '../../gateway/egress/timer-wheel.ts';

/** A clock that stands still until told. */
function standingClock(start = 1_000_003) {
  let now = start;
  let wakes: { at: number; wake: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    wakeAt(at, wake) {
      const entry = { at, wake };
      wakes.push(entry);
      return () => (wakes = wakes.filter((other) => other !== entry));
    },
  };
  const fireDue = (): void => {
    for (;;) {
      const due = wakes.find((entry) => entry.at <= now);
      if (due === undefined) return;
      wakes = wakes.filter((entry) => entry !== due);
      due.wake();
    }
  };
  return {
    clock,
    get waiting() {
      return wakes.length;
    },
    /** Passes the time one millisecond at a time, as it does. */
    pass(ms: number) {
      for (let i = 0; i < ms; i++) {
        now++;
        fireDue();
      }
    },
    /** Sets the clock; timers go on from where they were, as the machine's do. */
    set(to: number) {
      const by = to - now;
      now = to;
      wakes = wakes.map((entry) => ({ ...entry, at: entry.at + by }));
    },
    jump(ms: number) {
      now += ms;
      fireDue();
    },
  };
}

function entryOf(expire: () => void): WheelEntry {
  return { dueTick: 0, expire };
}

describe('createTimerWheel', () => {
  test.each([0, 1, 49, 50, 51, 999, 25_600, 25_601, 60_000])(
    'expires after %i ms, never early, a tick late at most',
    (delay) => {
      const time = standingClock();
      const wheel = createTimerWheel(time.clock);
      time.pass(17);
      const from = time.clock.now();
      let expiredAt: number | undefined;
      wheel.add(
        entryOf(() => (expiredAt = time.clock.now())),
        delay,
        from,
      );
      time.pass(delay + 2 * TICK_MS);
      expect(expiredAt).toBeGreaterThanOrEqual(from + delay);
      expect(expiredAt).toBeLessThanOrEqual(from + delay + TICK_MS);
      expect(wheel.size).toBe(0);
    },
  );

  test('keeps many deadlines in order with one timer, and none when empty', () => {
    const time = standingClock();
    const wheel = createTimerWheel(time.clock);
    const expired: number[] = [];
    for (const delay of [300, 100, 200, 30_000, 150])
      wheel.add(
        entryOf(() => expired.push(delay)),
        delay,
        time.clock.now(),
      );
    expect(time.waiting).toBe(1);
    time.pass(1000);
    expect(expired).toEqual([100, 150, 200, 300]);
    time.pass(30_000);
    expect(expired).toEqual([100, 150, 200, 300, 30_000]);
    expect(time.waiting).toBe(0);
  });

  test('does not expire what was removed', () => {
    const time = standingClock();
    const wheel = createTimerWheel(time.clock);
    const entry = entryOf(() => expect.unreachable());
    wheel.add(entry, 100, time.clock.now());
    wheel.remove(entry);
    wheel.remove(entry);
    expect(wheel.size).toBe(0);
    time.pass(500);
    expect(time.waiting).toBe(0);
  });

  test('starts again after a long rest', () => {
    const time = standingClock();
    const wheel = createTimerWheel(time.clock);
    const expired: string[] = [];
    wheel.add(
      entryOf(() => expired.push('first')),
      60,
      time.clock.now(),
    );
    time.pass(200);
    time.jump(10 * 60_000);
    wheel.add(
      entryOf(() => expired.push('second')),
      60,
      time.clock.now(),
    );
    time.pass(59);
    expect(expired).toEqual(['first']);
    time.pass(TICK_MS + 1);
    expect(expired).toEqual(['first', 'second']);
  });

  test('lets an entry add another one while it expires', () => {
    const time = standingClock();
    const wheel = createTimerWheel(time.clock);
    let again = 0;
    const entry = entryOf(() => {
      if (++again < 3) wheel.add(entry, 100, time.clock.now());
    });
    wheel.add(entry, 100, time.clock.now());
    time.pass(500);
    expect(again).toBe(3);
    expect(wheel.size).toBe(0);
  });

  test('catches up after the process was stopped for longer than a turn', () => {
    const time = standingClock();
    const wheel = createTimerWheel(time.clock);
    const expired: number[] = [];
    for (const delay of [70, 20_000, 40_000, 90_000])
      wheel.add(
        entryOf(() => expired.push(delay)),
        delay,
        time.clock.now(),
      );
    time.jump(60_000);
    expect(expired.sort((a, b) => a - b)).toEqual([70, 20_000, 40_000]);
    time.pass(31_000);
    expect(expired).toContain(90_000);
  });

  test('neither stalls nor hurries when the clock is set back', () => {
    const time = standingClock();
    const wheel = createTimerWheel(time.clock);
    const expired: string[] = [];
    wheel.add(
      entryOf(() => expired.push('before')),
      1000,
      time.clock.now(),
    );
    time.pass(500);
    time.set(time.clock.now() - 3_600_000);
    wheel.add(
      entryOf(() => expired.push('after')),
      1000,
      time.clock.now(),
    );
    time.pass(450);
    expect(expired).toEqual([]);
    time.pass(150);
    expect(expired).toEqual(['before']);
    time.pass(500);
    expect(expired).toEqual(['before', 'after']);
  });

  test('forgets everything when closed', () => {
    const time = standingClock();
    const wheel = createTimerWheel(time.clock);
    wheel.add(
      entryOf(() => expect.unreachable()),
      100,
      time.clock.now(),
    );
    wheel.close();
    expect(time.waiting).toBe(0);
    expect(wheel.size).toBe(0);
  });
});
