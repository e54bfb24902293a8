import { GatewayError } from './gateway-error.ts';
import type { Wait } from './growing-pause.ts';
import { retryPassing } from './retry-passing.ts';

/** What became of one piece of work. */
export interface Settlement {
  deliveryId: string;
  /** The lease's, as it came with the work. */
  token: string;
  outcome: 'SUCCEEDED' | 'FAILED';
  /** What went wrong, for the delivery's log. */
  error?: { code: string; message: string };
}

/** Sends settlements together: all of one turn of the event loop, at most a hundred at a time. */
export interface SettleBatch {
  /**
   * Resolves when the gateway has it.
   * @throws GatewayError where it cannot be settled any more; the gateway then hands the work out again.
   */
  settle(settlement: Settlement): Promise<void>;
  /** Sends what waits at once; resolves when all of it was answered or given up. */
  flush(): Promise<void>;
}

export interface SettleBatchOptions {
  send(settlements: readonly Settlement[], signal: AbortSignal): Promise<void>;
  wait: Wait;
  random: () => number;
  signal: AbortSignal;
}

/** Prepares the batch. */
export function createSettleBatch(options: SettleBatchOptions): SettleBatch {
  let waiting: Pending[] = [];
  const sending = new Set<Promise<void>>();

  const send = (): void => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, LARGEST_BATCH);
      waiting = waiting.slice(LARGEST_BATCH);
      const sent = sendBatch(batch, options).finally(() => sending.delete(sent));
      sending.add(sent);
    }
  };

  return {
    settle: (settlement) =>
      new Promise((resolve, reject) => {
        waiting.push({ settlement, resolve, reject });
        if (waiting.length === 1) setImmediate(send);
      }),
    flush: async () => {
      send();
      await Promise.all(sending);
    },
  };
}

interface Pending {
  settlement: Settlement;
  resolve(): void;
  reject(error: unknown): void;
}

const LARGEST_BATCH = 100;

/** With the pauses between them about ten seconds: by then the leases of a lost connection are gone. */
const MOST_TRIES = 6;

async function sendBatch(batch: readonly Pending[], options: SettleBatchOptions): Promise<void> {
  try {
    const settlements = batch.map(({ settlement }) => settlement);
    await retryPassing(() => options.send(settlements, options.signal), { ...options, tries: MOST_TRIES });
    for (const pending of batch) pending.resolve();
  } catch (error) {
    const isTheirFault = error instanceof GatewayError && error.code !== 'CLOSED' && !error.isPassing;
    if (batch.length > 1 && isTheirFault) {
      // One that the gateway does not accept must not take the others with it.
      await Promise.all(batch.map((pending) => sendBatch([pending], options)));
      return;
    }
    for (const pending of batch) pending.reject(error);
  }
}
