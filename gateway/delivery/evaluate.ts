import { compileExpression, type CompileResult } from '../expressions/expression.ts';
import type { ExpressionPool } from '../expressions/expression-pool.ts';
import { badInput } from '../errors.ts';
import type { EndpointInput, EndpointService } from '../services.ts';
import type { Evaluate } from './subscriptions.ts';

/** Expressions in use whose compiled form is kept; one belongs to a setting of an endpoint. */
const MOST_KEPT = 2_000;

/**
 * Evaluates plain expressions on the spot and hands the others to the pool.
 * @throws (as a rejection) RATE_LIMITED where too much waits for the pool: then the event is better sent again
 */
export function createEvaluate(pool: Pick<ExpressionPool, 'evaluate'>): Evaluate {
  const compiled = new Map<string, CompileResult>();
  return (source, input) => {
    let result = compiled.get(source);
    if (!result) {
      result = compileExpression(source);
      if (compiled.size >= MOST_KEPT) compiled.clear();
      compiled.set(source, result);
    }
    if (!result.ok) return result;
    const inline = result.expression.evaluateInline(input);
    // `$now` gives the event's time, so that a retry says the same as the first attempt.
    return inline === 'needs_worker' ? pool.evaluate(source, input, Date.parse(input.timestamp)) : inline;
  };
}

/**
 * Endpoints whose expressions were tried before they are saved: the pool finds what reading alone does not, such as
 * a regular expression that is none. @throws BAD_USER_INPUT naming the field
 */
export function checkingExpressions<Endpoints extends Pick<EndpointService, 'create' | 'update'>>(
  endpoints: Endpoints,
  pool: Pick<ExpressionPool, 'check'>,
): Endpoints {
  const check = async (input: EndpointInput): Promise<void> => {
    for (const field of ['filter', 'orderBy', 'payload'] as const) {
      const source = input[field];
      if (!source) continue;
      const checked = await pool.check(source);
      if (!checked.ok) throw badInput(field, checked.message);
    }
  };
  return {
    ...endpoints,
    create: async (input) => {
      await check(input);
      return endpoints.create(input);
    },
    update: async (id, input) => {
      await check(input);
      return endpoints.update(id, input);
    },
  };
}

/** @returns what is wrong with an expression, in a sentence; null for nothing */
export function checkExpression(source: string): string | null {
  const result = compileExpression(source);
  return result.ok ? null : result.message;
}
