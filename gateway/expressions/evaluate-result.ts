/**
 * Why an expression gave no value.
 *
 * - `EXPRESSION_SYNTAX`: it cannot be read; no event will ever change that.
 * - `EXPRESSION_ERROR`: it does not fit this event (a text compared with a number, a missing function, …).
 * - `EXPRESSION_TIMEOUT`: it was stopped because it took too long.
 * - `EXPRESSION_MEMORY`: it was stopped because it, or what it gives, grew too large.
 */
export type ExpressionFailureCode =
  | 'EXPRESSION_SYNTAX'
  | 'EXPRESSION_ERROR'
  | 'EXPRESSION_TIMEOUT'
  | 'EXPRESSION_MEMORY';

export interface ExpressionFailure {
  ok: false;
  code: ExpressionFailureCode;
  /** A sentence for the author of the expression. Never holds texts or structures out of the event. */
  message: string;
  /** Where in the source, counted in UTF-16 units from 0: up to here it was understood. */
  position?: number;
}

/** What became of one evaluation. `value` is JSON, or `undefined` where the expression finds nothing. */
export type EvaluateResult = { ok: true; value: unknown } | ExpressionFailure;

/** The longest source that is accepted, in UTF-16 units. */
export const MAX_SOURCE_CHARS = 4_096;

/** The largest value an expression may give, in UTF-16 units of its JSON text. */
export const MAX_RESULT_CHARS = 1_048_576;
