import type { EvaluateResult, ExpressionFailure } from './evaluate-result.ts';
import type { BatchItem } from './expression-protocol.ts';

/** One evaluation, or one check, that waits for its answer. */
export interface Question {
  source: string;
  /** JSON text; null: only check the source. */
  event: string | null;
  /** Unix ms that `$now` gives. */
  now: number;
  /** Suspected of ending its process: it goes out on its own. */
  isAlone: boolean;
  resolve(result: EvaluateResult): void;
  reject(error: unknown): void;
}

/** What waits to be asked, made into batches. Suspects take turns with all the others. */
export interface ExpressionQueue {
  /** An event as JSON text; the same object asked for again before the next batch is written once. */
  write(event: unknown): string;
  /** @returns false where too much waits already; then nothing was added */
  add(question: Question): boolean;
  /** Questions whose process ended, or that took long: from now on alone. */
  putBack(questions: readonly Question[]): void;
  /**
   * The next batch, as questions and as the line to send.
   * @param refuse gives the answer for sources that must not be evaluated now: their questions are over with that
   */
  take(refuse: (source: string) => ExpressionFailure | null): { questions: Question[]; batch: string } | null;
  /** Empties it. @returns what was in it */
  clear(): Question[];
}

/** Questions that may wait, and the length of their events in all: floods end here. */
const MAX_WAITING = 10_000;
const MAX_WAITING_CHARS = 64 * 1024 * 1024;

/** Questions in a batch, and the length of their events where there is more than one. */
const MAX_BATCH = 128;
const MAX_BATCH_CHARS = 1024 * 1024;

export function createExpressionQueue(): ExpressionQueue {
  let waiting: Question[] = [];
  let suspects: Question[] = [];
  let waitingChars = 0;
  let lastWritten: { event: unknown; text: string } | null = null;
  let wasSuspect = false;

  function takeQuestions(refuse: (source: string) => ExpressionFailure | null): Question[] {
    wasSuspect = suspects.length > 0 && (waiting.length === 0 || !wasSuspect);
    const from = wasSuspect ? suspects : waiting;
    const taken: Question[] = [];
    let chars = 0;
    let count = 0;
    for (const question of from) {
      const size = question.event?.length ?? 0;
      if (taken.length > 0 && (wasSuspect || taken.length === MAX_BATCH || chars + size > MAX_BATCH_CHARS))
        break;
      count += 1;
      waitingChars -= size;
      const refused = refuse(question.source);
      if (refused) {
        question.resolve(refused);
        continue;
      }
      chars += size;
      taken.push(question);
    }
    from.splice(0, count);
    return taken;
  }

  return {
    write(event) {
      if (!lastWritten || lastWritten.event !== event) {
        lastWritten = { event, text: JSON.stringify(event) ?? 'null' };
      }
      return lastWritten.text;
    },

    add(question) {
      const size = question.event?.length ?? 0;
      if (waiting.length + suspects.length >= MAX_WAITING || waitingChars + size > MAX_WAITING_CHARS)
        return false;
      waitingChars += size;
      (question.isAlone ? suspects : waiting).push(question);
      return true;
    },

    putBack(questions) {
      for (const question of questions) {
        question.isAlone = true;
        waitingChars += question.event?.length ?? 0;
        suspects.push(question);
      }
    },

    take(refuse) {
      lastWritten = null;
      while (waiting.length + suspects.length > 0) {
        const questions = takeQuestions(refuse);
        if (questions.length > 0) return { questions, batch: writeBatch(questions) };
      }
      return null;
    },

    clear() {
      const all = [...waiting, ...suspects];
      waiting = [];
      suspects = [];
      waitingChars = 0;
      return all;
    },
  };
}

/** The line of JSON for `Batch`; events are in it as they were written. */
function writeBatch(questions: readonly Question[]): string {
  const sources = new Map<string, number>();
  const events = new Map<string, number>();
  const items = questions.map(({ source, event, now }): BatchItem => [
    indexOf(sources, source),
    event === null ? null : indexOf(events, event),
    now,
  ]);
  const written = `[${[...events.keys()].join(',')}]`;
  return `{"sources":${JSON.stringify([...sources.keys()])},"events":${written},"items":${JSON.stringify(items)}}`;
}

function indexOf(places: Map<string, number>, text: string): number {
  let index = places.get(text);
  if (index === undefined) {
    index = places.size;
    places.set(text, index);
  }
  return index;
}
