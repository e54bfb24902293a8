/**
 * Time, passed in. Everything that waits asks a clock, so that a week of retries is tested in milliseconds.
 */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /**
   * Calls `wake` once, at or soon after `at` (Unix milliseconds); at once where `at` has passed.
   * @returns a function that cancels it; harmless when called late.
   */
  wakeAt(at: number, wake: () => void): () => void;
}

/** A timer can sleep this long at most (2^31 - 1 ms, about 24.8 days); longer waits are renewed. */
const LONGEST_SLEEP_MS = 2_147_483_647;

/** The machine's own clock. Its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  wakeAt(at, wake) {
    let timer: NodeJS.Timeout;
    const sleep = (): void => {
      const remainingMs = at - Date.now();
      timer =
        remainingMs > LONGEST_SLEEP_MS
          ? setTimeout(sleep, LONGEST_SLEEP_MS)
          : setTimeout(wake, Math.max(0, remainingMs));
      timer.unref();
    };
    sleep();
    return () => clearTimeout(timer);
  },
};
