import { MAX_RESULT_CHARS } from './evaluate-result.ts';
import { createEvaluator } from './evaluator.ts';
import { memoryFailure, timeoutFailure } from './describe-failure.ts';
import type { Batch } from './expression-protocol.ts';
import { beat, type Pulse } from './process-watch.ts';

/** Answers that are ready go out at least this often, so that few are lost where the next evaluation ends badly. */
const FLUSH_MS = 5;

/** The worker process at work: answers the batches that come in, one after the other, until there is no more to come. */
export async function serveExpressions(pulse: Pulse, timeoutMs: number): Promise<void> {
  const evaluator = await createEvaluator(timeoutMs);
  let unread = '';
  process.stdin.setEncoding('utf8');
  writeAnswers([]);
  for await (const chunk of process.stdin as AsyncIterable<string>) {
    unread += chunk;
    for (let end = unread.indexOf('\n'); end >= 0; end = unread.indexOf('\n')) {
      const line = unread.slice(0, end);
      unread = unread.slice(end + 1);
      await answer(JSON.parse(line) as Batch);
    }
  }

  async function answer({ sources, events, items }: Batch): Promise<void> {
    let ready: string[] = [];
    let flushedAt = performance.now();
    const slow = new Set<number>();
    for (const [source, event, now] of items) {
      beat(pulse);
      const result = slow.has(source)
        ? timeoutFailure()
        : event === null
          ? evaluator.check(sources[source]!)
          : await evaluator.evaluate(sources[source]!, events[event], now);
      ready.push(writeResult(result));
      beat(pulse);
      // Many events of one batch may meet the same slow expression: the others in it wait for one of them only.
      // Whoever asked asks again for those that were never tried.
      if (!result.ok && result.code === 'EXPRESSION_TIMEOUT') slow.add(source);
      if (performance.now() - flushedAt < FLUSH_MS) continue;
      writeAnswers(ready);
      ready = [];
      flushedAt = performance.now();
    }
    if (ready.length > 0) writeAnswers(ready);
  }
}

function writeResult(result: object): string {
  const text = JSON.stringify(result);
  // What needed many escapes shows its size only now.
  return text.length <= MAX_RESULT_CHARS + 100 ? text : JSON.stringify(memoryFailure());
}

function writeAnswers(ready: readonly string[]): void {
  process.stdout.write(`[${ready.join(',')}]\n`);
}
