import { castBoolean } from './cast-boolean.ts';
import { MAX_RESULT_CHARS } from './evaluate-result.ts';

/**
 * A plain expression as a closure over the event.
 * @throws NEEDS_WORKER for an event it does not cover: lists, wrong types, anything that JSONata treats specially.
 */
export type PlainExpression = (event: unknown) => unknown;

/** Thrown, one and the same each time, where only the full evaluator knows the answer. */
export const NEEDS_WORKER = new Error('This event needs the full evaluator.');

type Operator = (left: PlainExpression, right: PlainExpression) => PlainExpression;

/** JSONata's operators on two plain sides. */
export const PLAIN_OPERATORS: Readonly<Record<string, Operator | undefined>> = {
  and: (left, right) => (event) => isTrue(left(event)) && isTrue(right(event)),
  or: (left, right) => (event) => isTrue(left(event)) || isTrue(right(event)),
  // With one side missing both of them are false.
  '=': (left, right) => (event) => areEqual(left(event), right(event)) ?? false,
  '!=': (left, right) => (event) => !(areEqual(left(event), right(event)) ?? true),
  '<': (left, right) => (event) => compare(left(event), right(event), (a, b) => a < b),
  '<=': (left, right) => (event) => compare(left(event), right(event), (a, b) => a <= b),
  '>': (left, right) => (event) => compare(left(event), right(event), (a, b) => a > b),
  '>=': (left, right) => (event) => compare(left(event), right(event), (a, b) => a >= b),
  in: (left, right) => (event) => isIn(left(event), right(event)),
  '&': (left, right) => (event) => {
    const text = asText(left(event)) + asText(right(event));
    // What holds itself several times grows fast: the worker refuses it in good order.
    if (text.length > MAX_RESULT_CHARS) throw NEEDS_WORKER;
    return text;
  },
};

/** Whether it counts as true. @throws NEEDS_WORKER for a list, and for a number that JSONata raises an error for */
export function isTrue(value: unknown): boolean {
  // JSON has a way to write it: 1e999.
  if (value === Infinity || value === -Infinity || Array.isArray(value)) throw NEEDS_WORKER;
  return castBoolean(value);
}

/** @returns undefined where one side is missing */
function areEqual(left: unknown, right: unknown): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  if (isStructure(left) && isStructure(right)) throw NEEDS_WORKER;
  return left === right;
}

function compare(
  left: unknown,
  right: unknown,
  holds: (left: string | number, right: string | number) => boolean,
): boolean | undefined {
  if (typeof left === typeof right && (typeof left === 'number' || typeof left === 'string')) {
    return holds(left, right as typeof left);
  }
  const isMissing = left === undefined || right === undefined;
  if (isMissing && isComparable(left) && isComparable(right)) return undefined;
  throw NEEDS_WORKER;
}

function isComparable(value: unknown): boolean {
  return value === undefined || typeof value === 'number' || typeof value === 'string';
}

function isIn(member: unknown, list: unknown): boolean {
  if (member === undefined || list === undefined) return false;
  return Array.isArray(list) ? list.includes(member) : list === member;
}

function asText(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (isStructure(value) || value === Infinity || value === -Infinity) throw NEEDS_WORKER;
  if (typeof value === 'number' && !Number.isInteger(value))
    return JSON.stringify(Number(value.toPrecision(15)));
  return JSON.stringify(value);
}

function isStructure(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
