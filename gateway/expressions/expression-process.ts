import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../clock.ts';
import type { EvaluateResult } from './evaluate-result.ts';
import type { Answers } from './expression-protocol.ts';
import { END_BY_TIME } from './process-watch.ts';

export interface ProcessOptions {
  clock: Clock;
  /** Time of one evaluation. */
  timeoutMs: number;
  /** Heap of the process. */
  heapMb: number;
  /** Answers to the oldest questions that are open, in order. */
  onAnswers(answers: readonly EvaluateResult[]): void;
  /** It is gone, whatever the reason. Called once, after the last answers. */
  onEnd(end: ProcessEnd): void;
}

/**
 * Why a process ended: an evaluation took too long; it grew too large, or was ended from outside; it never
 * began to work.
 */
export type ProcessEnd = 'time' | 'memory' | 'unusable';

/** A worker process that evaluates batches. */
export interface ExpressionProcess {
  /**
   * @param batch one line of JSON
   * @param items answers that are to come
   */
  ask(batch: string, items: number): void;
  /** Ends it at once. */
  end(): void;
}

/** Said nothing for so long, it is stopped or starved, and ended. Its own watch needs a fraction of that. */
const SILENCE_MS = 10_000;

/** Beside its heap a process needs this much, and a moment's excess is no reason to end it. */
const RESIDENT_BASE_MB = 128;

/**
 * Starts a worker process. It has a small heap of its own, nothing of our environment, and no way to make code out
 * of text. While it has nothing to do it does not keep us alive, and it ends when we do.
 *
 * A process and not a thread, because a thread's limits do not hold: one large allocation in a thread, like
 * `$pad("x", 100000000)`, ends the whole process with "heap out of memory" instead of the thread.
 */
export function startExpressionProcess(options: ProcessOptions): ExpressionProcess {
  const { clock, timeoutMs, heapMb, onAnswers, onEnd } = options;
  // Beside this file in the sources, beside the bundle in the build.
  const file = import.meta.url.endsWith('.ts') ? './expression-worker.ts' : './expression-worker.js';
  const child = spawn(
    process.execPath,
    [
      `--max-old-space-size=${heapMb}`,
      '--max-semi-space-size=8',
      '--disallow-code-generation-from-strings',
      fileURLToPath(new URL(file, import.meta.url)),
      String(timeoutMs),
      String(RESIDENT_BASE_MB + 2 * heapMb),
    ],
    // What Node.js says when it runs out of memory is several screens long, and nothing to the operator.
    { stdio: ['pipe', 'pipe', 'ignore'], env: {} },
  );
  const handles = [child, child.stdin as Socket, child.stdout as Socket];
  let spoke = false;
  let open = 0;
  let unread = '';
  let cancelSilence = (): void => undefined;

  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    unread += chunk;
    const end = unread.lastIndexOf('\n');
    if (end < 0) return;
    const lines = unread.slice(0, end).split('\n');
    unread = unread.slice(end + 1);
    spoke = true;
    for (const line of lines) take(line);
  });
  // It is going away: what is to be done follows from its end.
  child.stdin.on('error', () => undefined);
  let isOver = false;
  const finish = (end: ProcessEnd): void => {
    if (isOver) return;
    isOver = true;
    cancelSilence();
    onEnd(end);
  };
  child.on('error', () => finish('unusable'));
  child.on('close', (_code, signal) =>
    finish(!spoke ? 'unusable' : signal === END_BY_TIME ? 'time' : 'memory'),
  );

  function take(line: string): void {
    const answers = readAnswers(line);
    // It runs what strangers wrote: should one of them ever get to speak for it, that is its end.
    if (!answers || answers.length > open) {
      child.kill('SIGKILL');
      return;
    }
    open -= answers.length;
    listen();
    if (answers.length > 0) onAnswers(answers);
  }

  /** Waits for the next answer, or for nothing. */
  function listen(): void {
    cancelSilence();
    for (const handle of handles) {
      if (open > 0) handle.ref();
      else handle.unref();
    }
    if (open > 0) cancelSilence = clock.wakeAt(clock.now() + SILENCE_MS, () => child.kill('SIGKILL'));
  }

  return {
    ask(batch, items) {
      open += items;
      listen();
      child.stdin.write(`${batch}\n`);
    },
    end() {
      // Whoever waits for its end stays alive for that.
      for (const handle of handles) handle.ref();
      child.kill('SIGKILL');
    },
  };
}

function readAnswers(line: string): Answers | null {
  try {
    const answers: unknown = JSON.parse(line);
    return Array.isArray(answers) ? (answers as Answers) : null;
  } catch {
    return null;
  }
}
