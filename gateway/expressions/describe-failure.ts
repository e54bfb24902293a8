import type { ExpressionFailure } from './evaluate-result.ts';

/** What JSONata throws: plain objects, most with a code and the values that were wrong. */
interface JsonataError {
  code?: string;
  message?: string;
  position?: number;
  value?: unknown;
  value2?: unknown;
}

const MAX_MESSAGE_CHARS = 300;

/** JSONata's codes for "took too long" and "grew too large"; what else has a code is a mistake in the expression. */
const TIMEOUT_CODES = new Set(['D1012']);
const MEMORY_CODES = new Set(['D2014', 'D2015']);

/** The failure of an expression that cannot be read, for what the parser threw. */
export function describeSyntaxError(error: unknown): ExpressionFailure {
  const { message = '', position } = error as JsonataError;
  const what = error instanceof RangeError ? 'it is nested too deeply.' : asSentence(message);
  return syntaxFailure(what, position);
}

/** A failure to read, in words that fit behind "The expression cannot be read: ". */
export function syntaxFailure(what: string, position?: number): ExpressionFailure {
  const where = position === undefined ? '' : ` near character ${position + 1}`;
  return {
    ok: false,
    code: 'EXPRESSION_SYNTAX',
    message: `The expression cannot be read${where}: ${what}`,
    ...(position === undefined ? {} : { position }),
  };
}

/** The failure of an evaluation, for what the evaluator threw. */
export function describeEvaluationError(error: unknown): ExpressionFailure {
  const { code = '', message = '', position } = (error ?? {}) as JsonataError;
  if (TIMEOUT_CODES.has(code)) return timeoutFailure();
  // V8 refuses a text or a list beyond its own limits with a RangeError, and an exhausted stack too.
  if (MEMORY_CODES.has(code) || (error instanceof RangeError && message.startsWith('Invalid'))) {
    return memoryFailure();
  }
  const what =
    error instanceof RangeError ? 'It is nested too deeply.' : asSentence(hideValues(error as JsonataError));
  return {
    ok: false,
    code: 'EXPRESSION_ERROR',
    message: `The expression does not fit this event: ${what}`,
    ...(position === undefined ? {} : { position }),
  };
}

export function timeoutFailure(): ExpressionFailure {
  return {
    ok: false,
    code: 'EXPRESSION_TIMEOUT',
    message:
      'The expression was stopped because it took too long. Look for endless recursion, or make it simpler.',
  };
}

export function memoryFailure(): ExpressionFailure {
  return {
    ok: false,
    code: 'EXPRESSION_MEMORY',
    message: 'The expression was stopped because it used too much memory. Make what it builds smaller.',
  };
}

/**
 * JSONata writes the values that were wrong into its messages. They are the event's, and a message goes where an
 * event's contents must not: texts and structures are named by what they are.
 */
function hideValues({ message = '', value, value2 }: JsonataError): string {
  let hidden = message;
  for (const each of [value, value2]) {
    const [written, name] = [JSON.stringify(each), nameKind(each)];
    if (name !== null && written !== undefined) hidden = hidden.replaceAll(written, name);
  }
  return hidden;
}

function nameKind(value: unknown): string | null {
  if (typeof value === 'string') return 'a text';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : null;
}

function asSentence(message: string): string {
  const text = message === '' ? 'it failed without saying why' : message;
  const short = text.length > MAX_MESSAGE_CHARS ? `${text.slice(0, MAX_MESSAGE_CHARS)}…` : text;
  return /[.…!?]$/.test(short) ? short : `${short}.`;
}
