import { HooklineError } from '../../errors.ts';
import type { NewEvent } from '../store.ts';
import type { PendingAppend } from './commit-request.ts';
import { firstTry } from './id-conflict.ts';

/** What was stored: places in the journal. */
export type AppendOutcome = { seqs: readonly number[]; id: string } | { duplicateOf: string };

/** Something that waits for its turn, and whoever waits for what comes of it. */
export interface Waiting<Input, Output> {
  input: Input;
  promise: Promise<Output>;
  resolve: (output: Output) => void;
  reject: (error: Error) => void;
}

export function makeWaiting<Input, Output>(input: Input): Waiting<Input, Output> {
  return { input, ...Promise.withResolvers<Output>() };
}

export type WaitingAppend = Waiting<PendingAppend, AppendOutcome>;

export interface AppendLimits {
  maxWaitingEvents: number;
  maxWaitingBytes: number;
}

/** One command takes at most this many: nobody else is served while it runs. */
const EVENTS_PER_COMMIT = 512;
const BYTES_PER_COMMIT = 4 * 1024 * 1024;

/** The events that wait for a command, first come first served. */
export class AppendQueue {
  readonly #limits: AppendLimits;
  #waiting: WaitingAppend[] = [];
  #bytes = 0;

  constructor(limits: AppendLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** What is answered when all that waits now has been dealt with. */
  get promises(): Promise<unknown>[] {
    return this.#waiting.map(({ promise }) => promise);
  }

  /** @throws STORE_UNAVAILABLE where too much waits already: none of them is taken then. */
  add(events: readonly NewEvent[]): Promise<AppendOutcome[]> {
    let bytes = 0;
    for (const append of events) bytes += bytesOf(append);
    const { maxWaitingEvents, maxWaitingBytes } = this.#limits;
    if (this.#waiting.length + events.length > maxWaitingEvents || this.#bytes + bytes > maxWaitingBytes) {
      throw new HooklineError(
        'STORE_UNAVAILABLE',
        'More events arrive than the store can take; send it again later.',
      );
    }
    const added = events.map((append): WaitingAppend => makeWaiting(firstTry(append)));
    this.#waiting.push(...added);
    this.#bytes += bytes;
    return Promise.all(added.map(({ promise }) => promise));
  }

  /** Goes with the next command, before all others. */
  addFirst(waiting: WaitingAppend): void {
    this.#waiting.unshift(waiting);
    this.#bytes += bytesOf(waiting.input.append);
  }

  /** What goes with one command. */
  take(): WaitingAppend[] {
    let count = 0;
    let bytes = 0;
    for (const { input } of this.#waiting) {
      const more = bytesOf(input.append);
      if (count === EVENTS_PER_COMMIT || (count > 0 && bytes + more > BYTES_PER_COMMIT)) break;
      count++;
      bytes += more;
    }
    this.#bytes -= bytes;
    return this.#waiting.splice(0, count);
  }
}

function bytesOf({ event }: NewEvent): number {
  return event.body.length + (event.raw?.length ?? 0);
}
