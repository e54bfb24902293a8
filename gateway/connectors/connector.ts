import type { EndpointRuntime } from '../delivery/endpoint-runtime.ts';
import type { Lease, NewAttempt } from '../store/store.ts';

/**
 * One kind of outside system. A connector makes one attempt and says how it went; it keeps no state, decides
 * nothing about retries and touches no store. A receiver that fails is a result, never an exception.
 */
export interface Connector {
  send(lease: Lease, endpoint: EndpointRuntime): Promise<SendResult>;
}

export type SendResult =
  | {
      kind: 'attempted';
      attempt: NewAttempt;
      /** What the receiver asked for, ms from the end of the attempt; null where it did not. */
      retryAfterMs: number | null;
    }
  /** Nothing was sent: somebody has to mend something first (a payload template that fails). */
  | { kind: 'held'; reason: string };
