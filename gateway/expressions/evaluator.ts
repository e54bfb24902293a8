import { setImmediate as nextTurn } from 'node:timers/promises';
import jsonata from 'jsonata';
import { type AstNode, walkAst } from './ast-node.ts';
import { BoundedMap } from './bounded-map.ts';
import {
  describeEvaluationError,
  describeSyntaxError,
  memoryFailure,
  syntaxFailure,
  timeoutFailure,
} from './describe-failure.ts';
import { type EvaluateResult, type ExpressionFailure, MAX_RESULT_CHARS } from './evaluate-result.ts';
import { judgeJson } from './judge-json.ts';
import { compileLinear, LinearRegExp } from './linear-regexp.ts';
import { findRefusedPart } from './refused-parts.ts';

/** Evaluates with the whole of JSONata, one after the other. Only for the worker process: this can be made to hang. */
export interface Evaluator {
  /** Reads it and its regular expressions, and runs nothing. */
  check(source: string): { ok: true } | ExpressionFailure;
  /** @param now Unix ms that `$now` and `$millis` give */
  evaluate(source: string, event: unknown, now: number): Promise<EvaluateResult>;
}

/** How deep evaluation may nest. A function that calls itself uses about eight levels each time. */
const MAX_DEPTH = 2_000;

/** Members of a list that is built. */
const MAX_SEQUENCE = 100_000;

/** Characters that `$pad` fills up to: JSONata makes its padding in one piece, however long. */
const MAX_PADDED_CHARS = MAX_RESULT_CHARS;

/** Compiled expressions that are kept. */
const MAX_COMPILED = 500;

/** @param timeoutMs an evaluation that goes on for longer is stopped at its next step */
export async function createEvaluator(timeoutMs: number): Promise<Evaluator> {
  const compiled = new BoundedMap<string, Compiled>(MAX_COMPILED);
  const builtIn = { fromMillis: await readBuiltIn('fromMillis'), pad: await readBuiltIn('pad') };
  /** Unix ms of the evaluation that is under way: there is one at a time. */
  let evaluatedAt = 0;

  function compile(source: string): Compiled {
    let known = compiled.get(source);
    if (!known) {
      known = read(source);
      compiled.set(source, known);
    }
    return known;
  }

  function read(source: string): Compiled {
    let expression: jsonata.Expression;
    try {
      expression = jsonata(source, {
        timeout: timeoutMs,
        stack: MAX_DEPTH,
        sequence: MAX_SEQUENCE,
        RegexEngine: LinearRegExp as unknown as RegExpConstructor,
      });
    } catch (error) {
      return { failure: describeSyntaxError(error) };
    }
    const ast = expression.ast() as AstNode;
    const failure = findRefusedPart(ast) ?? findRefusedPattern(ast);
    if (failure) return { failure };
    expression.registerFunction('millis', () => evaluatedAt, '<:n>');
    expression.registerFunction(
      'now',
      (picture?: string, timezone?: string) => builtIn.fromMillis(evaluatedAt, picture, timezone),
      '<s?s?:s>',
    );
    expression.registerFunction(
      'pad',
      (str?: string, width?: number, char?: string) => {
        if (Math.abs(width ?? 0) > MAX_PADDED_CHARS) throw new RangeError('Invalid width');
        return builtIn.pad(str, width, char);
      },
      '<s-ns?:s>',
    );
    return { expression };
  }

  return {
    check(source) {
      const { failure } = compile(source);
      return failure ?? { ok: true };
    },

    async evaluate(source, event, now) {
      const { expression, failure } = compile(source);
      if (failure) return failure;
      evaluatedAt = now;
      const startedAt = performance.now();
      try {
        return judgeResult(await expression.evaluate(event));
      } catch (error) {
        // Members of a list are evaluated side by side: let those that have not failed come to an end, or they
        // would use the time of the next expression.
        await nextTurn();
        return performance.now() - startedAt > timeoutMs ? timeoutFailure() : describeEvaluationError(error);
      }
    },
  };
}

type Compiled =
  | { expression: jsonata.Expression; failure?: undefined }
  | { expression?: undefined; failure: ExpressionFailure };

/** The implementation behind a function of JSONata's own. */
async function readBuiltIn(name: string): Promise<(...args: unknown[]) => unknown> {
  const definition = (await jsonata(`$${name}`).evaluate({})) as {
    implementation: (...args: unknown[]) => unknown;
  };
  return definition.implementation;
}

function findRefusedPattern(ast: AstNode): ExpressionFailure | null {
  for (const { type, value, position } of walkAst(ast)) {
    if (type !== 'regex') continue;
    try {
      compileLinear(value as RegExp);
    } catch (error) {
      return syntaxFailure(
        `the regular expression /${(value as RegExp).source}/ is not one that RE2 knows (${describePattern(error)}). ` +
          'Look-around and back-references are not available.',
        position,
      );
    }
  }
  return null;
}

function describePattern(error: unknown): string {
  return (error as Error).message.replace(/^error parsing regexp: /, '');
}

function judgeResult(value: unknown): EvaluateResult {
  switch (judgeJson(value, MAX_RESULT_CHARS)) {
    case 'fits':
      return { ok: true, value };
    case 'too_large':
      return memoryFailure();
    case 'not_json':
      return describeEvaluationError({ message: 'It gives a function, where a value is needed.' });
  }
}
