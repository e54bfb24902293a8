import type { Clock } from '../clock.ts';
import { BoundedMap } from './bounded-map.ts';
import type { ExpressionFailure } from './evaluate-result.ts';

/**
 * Remembers expressions that had to be stopped. Each costs everybody else a fraction of a second, so that one that
 * does it again is refused for a while that doubles each time.
 */
export interface RepeatOffenders {
  /** It had to be stopped. */
  convict(source: string, failure: ExpressionFailure): void;
  /** It had to be stopped before, not long ago: whatever it is asked next is asked alone. */
  isKnown(source: string): boolean;
  /** The answer to give instead of evaluating it now; null where it may be evaluated. */
  refuse(source: string): ExpressionFailure | null;
}

/** The second time costs the first pause. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10 * 60_000;
/** So long after the end of its last pause an expression is as good as new. */
const FORGIVEN_AFTER_MS = 10 * 60_000;
/** Offenders that are remembered. */
const MAX_OFFENDERS = 1_000;

export function createRepeatOffenders(clock: Clock): RepeatOffenders {
  const offenders = new BoundedMap<string, { times: number; until: number; failure: ExpressionFailure }>(
    MAX_OFFENDERS,
  );

  function find(source: string): { times: number; until: number; failure: ExpressionFailure } | undefined {
    const offender = offenders.get(source);
    if (!offender || clock.now() < offender.until + FORGIVEN_AFTER_MS) return offender;
    offenders.delete(source);
    return undefined;
  }

  return {
    convict(source, failure) {
      const times = (find(source)?.times ?? 0) + 1;
      const pauseMs = times === 1 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (times - 2), LONGEST_PAUSE_MS);
      offenders.set(source, { times, until: clock.now() + pauseMs, failure });
    },
    isKnown: (source) => find(source) !== undefined,
    refuse(source) {
      const offender = find(source);
      if (!offender || clock.now() >= offender.until) return null;
      const { times, until, failure } = offender;
      const message = `${failure.message} That was ${times} times in a row: it is not evaluated again before ${new Date(until).toISOString()}.`;
      return { ...failure, message };
    },
  };
}
