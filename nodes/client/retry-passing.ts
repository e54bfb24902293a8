import { closedMeanwhile, GatewayError } from './gateway-error.ts';
import { growingPauseMs } from './growing-pause.ts';
import type { Wait } from './growing-pause.ts';

export interface Patience {
  /** How often it is tried in all, at least 1. */
  tries: number;
  wait: Wait;
  random: () => number;
  signal: AbortSignal;
}

/**
 * Does something that may be done twice, again and again with growing pauses while its error is a passing one.
 * @throws GatewayError the last one, or `CLOSED` when the signal aborts meanwhile.
 */
export async function retryPassing<Result>(
  attempt: () => Promise<Result>,
  patience: Patience,
): Promise<Result> {
  const { tries, wait, random, signal } = patience;
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (failures >= tries || !(error instanceof GatewayError) || !error.isPassing) throw error;
      await wait(growingPauseMs(failures, random), signal).catch(() => {
        throw closedMeanwhile();
      });
    }
  }
}
