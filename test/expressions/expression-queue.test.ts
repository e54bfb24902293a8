import { beforeEach, expect, test } from 'vitest';
import { timeoutFailure } from '../../gateway/expressions/describe-failure.ts';
import type { EvaluateResult } from '../../gateway/expressions/evaluate-result.ts';
import type { Batch } from '../../gateway/expressions/expression-protocol.ts';
import {
  createExpressionQueue,
  type ExpressionQueue,
  type Question,
} from '../../gateway/expressions/expression-queue.ts';

let queue: ExpressionQueue;
let results: [source: string, result: EvaluateResult][];

beforeEach(() => {
  queue = createExpressionQueue();
  results = [];
});

test('what several questions share is sent once', () => {
  const event = { id: 'evt-1' };
  queue.add(ask('a', queue.write(event), 5));
  queue.add(ask('b', queue.write(event), 6));
  queue.add(ask('a', queue.write({ id: 'evt-2' }), 7));
  queue.add(ask('a', null, 8));
  expect(take()).toEqual({
    sources: ['a', 'b'],
    events: [{ id: 'evt-1' }, { id: 'evt-2' }],
    items: [
      [0, 0, 5],
      [1, 0, 6],
      [0, 1, 7],
      [0, null, 8],
    ],
  });
  expect(take()).toBeNull();
});

test('an event that was changed between two batches is written anew', () => {
  const event = { n: 1 };
  queue.add(ask('a', queue.write(event)));
  take();
  event.n = 2;
  queue.add(ask('a', queue.write(event)));
  expect(take()?.events).toEqual([{ n: 2 }]);
});

test('a batch ends at 128 questions, or where its events become longer than a mebibyte', () => {
  for (let n = 0; n < 130; n++) queue.add(ask('a', String(n)));
  expect([take()?.items.length, take()?.items.length]).toEqual([128, 2]);
  for (let n = 0; n < 3; n++) queue.add(ask('a', JSON.stringify(`${n}`.repeat(600_000))));
  expect([take()?.items.length, take()?.items.length, take()?.items.length]).toEqual([1, 1, 1]);
});

test('a suspect goes alone, and takes turns with the others', () => {
  queue.putBack([ask('suspect 1', '1'), ask('suspect 2', '1')]);
  for (let n = 0; n < 129; n++) queue.add(ask('other', '1'));
  const turns = Array.from({ length: 4 }, () => take()?.sources);
  expect(turns).toEqual([['suspect 1'], ['other'], ['suspect 2'], ['other']]);
});

test('a refused question is over and takes nobody’s place', () => {
  queue.add(ask('guilty', '1'));
  queue.add(ask('other', '1'));
  queue.add(ask('guilty', '1'));
  const batch = take((source) => (source === 'guilty' ? timeoutFailure() : null));
  expect(batch?.sources).toEqual(['other']);
  expect(results).toEqual([
    ['guilty', timeoutFailure()],
    ['guilty', timeoutFailure()],
  ]);
});

test('refuses what is beyond ten thousand questions or 64 MiB of events, and takes more once there is room', () => {
  for (let n = 0; n < 10_000; n++) expect(queue.add(ask('a', '1'))).toBe(true);
  expect(queue.add(ask('a', '1'))).toBe(false);
  take();
  expect(queue.add(ask('a', '1'))).toBe(true);
  expect(queue.clear()).toHaveLength(10_000 - 128 + 1);

  const event = 'x'.repeat(16 * 1024 * 1024);
  for (let n = 0; n < 4; n++) expect(queue.add(ask('a', event))).toBe(true);
  expect(queue.add(ask('a', '1'))).toBe(false);
});

function ask(source: string, event: string | null, now = 0): Question {
  return {
    source,
    event,
    now,
    isAlone: false,
    resolve: (result) => results.push([source, result]),
    reject: () => undefined,
  };
}

function take(refuse: Parameters<ExpressionQueue['take']>[0] = () => null): Batch | null {
  const next = queue.take(refuse);
  return next && (JSON.parse(next.batch) as Batch);
}
