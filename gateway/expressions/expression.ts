import jsonata from 'jsonata';
import { type AstNode, walkAst } from './ast-node.ts';
import { describeSyntaxError, syntaxFailure } from './describe-failure.ts';
import { type ExpressionFailure, MAX_RESULT_CHARS, MAX_SOURCE_CHARS } from './evaluate-result.ts';
import { judgeJson } from './judge-json.ts';
import { compilePlain } from './plain-expression.ts';
import { NEEDS_WORKER } from './plain-operators.ts';
import { findRefusedPart } from './refused-parts.ts';

/**
 * An expression of a user, in JSONata (https://docs.jsonata.org), over an event as subscribers see it:
 * `{ id, type, timestamp, source, machine, data, test }`.
 *
 * Differences from JSONata: regular expressions are RE2's, matched in linear time, so there is no look-around and
 * no back-reference; `$random`, `$shuffle` and `$eval` are not available; `$now` and `$millis` give the time that
 * the evaluation is asked for, which is the same on every retry.
 */
export interface CompiledExpression {
  readonly source: string;
  /** Evaluated on the spot for all events but odd ones; what is not plain always goes to the pool. */
  readonly isPlain: boolean;
  /**
   * Evaluates without waiting, where that gives exactly what JSONata would.
   * The value may share parts with the event: change neither.
   */
  evaluateInline(event: unknown): InlineResult;
}

/** `needs_worker`: nothing is known yet; ask the pool. */
export type InlineResult = { ok: true; value: unknown } | 'needs_worker';

export type CompileResult = { ok: true; expression: CompiledExpression } | ExpressionFailure;

/**
 * The parser copies the left side of each `??` and `?:`, so that a few dozen inside each other never end. Where
 * there are more than this many it does not run here.
 */
const MAX_COPYING_OPERATORS = 8;

/**
 * Reads an expression. Takes a few milliseconds at most, whatever it is given, and runs nothing.
 * Mistakes are a result with the code EXPRESSION_SYNTAX. Only the pool's `check` finds all of them: it also tries
 * the regular expressions, and reads what holds more than eight `??` and `?:`.
 */
export function compileExpression(source: string): CompileResult {
  if (source.length > MAX_SOURCE_CHARS) {
    return syntaxFailure(`it has ${source.length} characters, of ${MAX_SOURCE_CHARS} that are allowed.`);
  }
  if ((source.match(/\?[?:]/g)?.length ?? 0) > MAX_COPYING_OPERATORS) {
    return { ok: true, expression: { source, isPlain: false, evaluateInline: () => 'needs_worker' } };
  }
  let ast: AstNode;
  try {
    ast = jsonata(source).ast() as AstNode;
  } catch (error) {
    return describeSyntaxError(error);
  }
  const refused = findRefusedPart(ast);
  if (refused) return refused;
  const plain = compilePlain(ast);
  // A part of the event is no larger than the event; what is built of parts may be.
  const buildsStructures = [...walkAst(ast)].some(({ type }) => type === 'unary');
  return {
    ok: true,
    expression: {
      source,
      isPlain: plain !== null,
      evaluateInline(event) {
        if (!plain) return 'needs_worker';
        try {
          const value = plain(event);
          if (buildsStructures && judgeJson(value, MAX_RESULT_CHARS) !== 'fits') return 'needs_worker';
          return { ok: true, value };
        } catch (error) {
          if (error === NEEDS_WORKER) return 'needs_worker';
          throw error;
        }
      },
    },
  };
}
