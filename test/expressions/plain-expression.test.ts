import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileExpression } from '../../gateway/expressions/expression.ts';
import { evaluateWithJsonata, toPlain } from './support/evaluate-with-jsonata.ts';
import { anyEvent, anyPlainSource } from './support/random-expressions.ts';

test('what is evaluated on the spot is what JSONata gives, for any plain expression and any event', async () => {
  await fc.assert(
    fc.asyncProperty(anyPlainSource, anyEvent, async (source, event) => {
      const inline = evaluateInline(source, event);
      if (inline === 'needs_worker') return;
      expect(await evaluateWithJsonata(source, event)).toEqual({ value: toPlain(inline.value) });
    }),
    { numRuns: 2_000 },
  );
});

test('most of these pairs are evaluated on the spot, and not all of them', () => {
  const pairs = fc.sample(fc.tuple(anyPlainSource, anyEvent), { numRuns: 2_000, seed: 7 });
  const inline = pairs.filter(([source, event]) => evaluateInline(source, event) !== 'needs_worker').length;
  expect(inline).toBeGreaterThan(1_000);
  expect(inline).toBeLessThan(2_000);
});

function evaluateInline(source: string, event: unknown): { ok: true; value: unknown } | 'needs_worker' {
  const compiled = compileExpression(source);
  // A list written into a path, a name that is given twice: not everything that is put together can be read.
  return compiled.ok ? compiled.expression.evaluateInline(event) : 'needs_worker';
}
