import type { EvaluateResult } from './evaluate-result.ts';

/**
 * What the gateway writes to the worker process, as one line of JSON: a batch. What several evaluations share is
 * in it once.
 */
export interface Batch {
  sources: string[];
  events: unknown[];
  items: BatchItem[];
}

/** Index of the source; index of the event, or null to only check the source; Unix ms that `$now` gives. */
export type BatchItem = [source: number, event: number | null, now: number];

/**
 * What comes back: lines with the answers of the batch in its order, any number of them in a line. The first line
 * is empty of answers and says that the process is there.
 */
export type Answers = EvaluateResult[];
