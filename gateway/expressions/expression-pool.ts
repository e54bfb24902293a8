import type { Clock } from '../clock.ts';
import { HooklineError } from '../errors.ts';
import { BoundedMap } from './bounded-map.ts';
import { memoryFailure, timeoutFailure } from './describe-failure.ts';
import type { EvaluateResult, ExpressionFailure } from './evaluate-result.ts';
import { type CompileResult, compileExpression } from './expression.ts';
import { type ExpressionProcess, type ProcessEnd, startExpressionProcess } from './expression-process.ts';
import { createExpressionQueue, type Question } from './expression-queue.ts';
import { createRepeatOffenders } from './repeat-offenders.ts';

/**
 * Evaluates users' expressions and cannot be hurt by them: what is plain runs on the spot, the rest in a process of
 * its own that may hang, grow or die. Then the expression that did it fails, and nothing else.
 */
export interface ExpressionPool {
  /**
   * @param event as subscribers see it, JSON; not changed until the evaluation is over
   * @param now Unix ms that `$now` and `$millis` give: pass the event's, so that a retry gives the same.
   * @default now the clock's
   * @returns the value, or why there is none; never rejects because of the expression
   * @throws RATE_LIMITED where too much waits already, CONFLICT after `close`, INTERNAL where no process can be started
   */
  evaluate(source: string, event: unknown, now?: number): Promise<EvaluateResult>;
  /**
   * Everything that can be known about an expression before the first event: for whoever saves one.
   * @throws as `evaluate`
   */
  check(source: string): Promise<{ ok: true } | ExpressionFailure>;
  /** Ends the processes at once; what is still open is rejected with CONFLICT. */
  close(): Promise<void>;
}

export interface ExpressionPoolOptions {
  clock: Clock;
  /** Worker processes at most; the first starts with the first expression that is not plain. @default 1 */
  processes?: number;
  /** Time of one evaluation; one that nothing else stops is ended after twice that in processor time. @default 250 */
  timeoutMs?: number;
  /** Heap of a worker process. What it may occupy in all is 128 MB and twice that. @default 64 */
  heapMb?: number;
}

/** Expressions whose compiled form is kept. */
const MAX_COMPILED = 1_000;

/** So many processes in a row that cannot be started are taken for a fault of the machine's. */
const MAX_FAILED_STARTS = 3;

/** A place for a process, and what that process has been asked and has not answered. */
interface Place {
  process: ExpressionProcess | null;
  asked: Question[];
}

export function createExpressionPool(options: ExpressionPoolOptions): ExpressionPool {
  const { clock, processes = 1, timeoutMs = 250, heapMb = 64 } = options;
  const compiled = new BoundedMap<string, CompileResult>(MAX_COMPILED);
  const offenders = createRepeatOffenders(clock);
  const queue = createExpressionQueue();
  const places = Array.from({ length: processes }, (): Place => ({ process: null, asked: [] }));
  const ended = new Set<Promise<void>>();
  let failedStarts = 0;
  let isClosed = false;
  let isWakingUp = false;

  function compile(source: string): CompileResult {
    let known = compiled.get(source);
    if (!known) {
      known = compileExpression(source);
      compiled.set(source, known);
    }
    return known;
  }

  function ask(source: string, event: string | null, now: number): Promise<EvaluateResult> {
    if (isClosed) return Promise.reject(closedError());
    const refused = offenders.refuse(source);
    if (refused) return Promise.resolve(refused);
    const { promise, resolve, reject } = Promise.withResolvers<EvaluateResult>();
    const isAlone = offenders.isKnown(source);
    if (!queue.add({ source, event, now, isAlone, resolve, reject })) {
      return Promise.reject(
        new HooklineError(
          'RATE_LIMITED',
          'Too many expressions wait to be evaluated; try again in a moment.',
        ),
      );
    }
    wakeUp();
    return promise;
  }

  /** What is asked in one turn goes out together at its end. */
  function wakeUp(): void {
    if (isWakingUp) return;
    isWakingUp = true;
    setImmediate(() => {
      isWakingUp = false;
      for (const place of places) askNext(place);
    });
  }

  function askNext(place: Place): void {
    if (isClosed || place.asked.length > 0) return;
    const next = queue.take(offenders.refuse);
    if (!next) return;
    place.asked = next.questions;
    place.process ??= start(place);
    place.process.ask(next.batch, next.questions.length);
  }

  function start(place: Place): ExpressionProcess {
    const { promise, resolve } = Promise.withResolvers<void>();
    ended.add(promise);
    return startExpressionProcess({
      clock,
      timeoutMs,
      heapMb,
      onAnswers(answers) {
        failedStarts = 0;
        for (const answer of answers) settle(place.asked.shift()!, answer);
        askNext(place);
      },
      onEnd(end) {
        ended.delete(promise);
        resolve();
        place.process = null;
        const left = place.asked.splice(0);
        if (!isClosed) recover(left, end);
        wakeUp();
      },
    });
  }

  function settle(question: Question, answer: EvaluateResult): void {
    if (answer.ok || answer.code !== 'EXPRESSION_TIMEOUT') question.resolve({ ...answer });
    // The clock may have run while the machine was busy with something else: only a second time counts.
    else if (question.isAlone) convict(question, answer);
    else queue.putBack([question]);
  }

  /** A process ended under these questions. The guilty one is whoever does it again on its own. */
  function recover(left: Question[], end: ProcessEnd): void {
    if (end === 'unusable') {
      failedStarts += 1;
      if (failedStarts < MAX_FAILED_STARTS) queue.putBack(left);
      else for (const { reject } of left) reject(unusableError());
      return;
    }
    const [first] = left;
    if (first?.isAlone) convict(first, end === 'time' ? timeoutFailure() : memoryFailure());
    else queue.putBack(left);
  }

  function convict({ source, resolve }: Question, failure: ExpressionFailure): void {
    offenders.convict(source, failure);
    resolve(failure);
  }

  return {
    async evaluate(source, event, now = clock.now()) {
      const result = compile(source);
      if (!result.ok) return result;
      const inline = result.expression.evaluateInline(event);
      return inline === 'needs_worker' ? ask(source, queue.write(event), now) : inline;
    },

    async check(source) {
      const result = compile(source);
      if (!result.ok) return result;
      if (result.expression.isPlain) return { ok: true };
      const answer = await ask(source, null, clock.now());
      return answer.ok ? { ok: true } : answer;
    },

    async close() {
      isClosed = true;
      for (const place of places) {
        place.process?.end();
        for (const { reject } of place.asked.splice(0)) reject(closedError());
      }
      for (const { reject } of queue.clear()) reject(closedError());
      await Promise.all(ended);
    },
  };
}

function closedError(): HooklineError {
  return new HooklineError('CONFLICT', 'Expressions are no longer evaluated: the gateway is closing.');
}

function unusableError(): HooklineError {
  return new HooklineError(
    'INTERNAL',
    'The process that evaluates expressions cannot be started: see that there is memory left and room for a process.',
  );
}
