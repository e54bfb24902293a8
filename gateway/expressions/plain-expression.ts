import type { AstNode } from './ast-node.ts';
import { isJsonataFunction } from './judge-json.ts';
import { isTrue, NEEDS_WORKER, PLAIN_OPERATORS, type PlainExpression } from './plain-operators.ts';

/** Deeper trees are left to the worker, whose stack is nobody else's. */
const MAX_DEPTH = 300;

/**
 * Turns a tree into a closure with exactly JSONata's meaning, where every node of it is plain: paths, literals,
 * comparisons, `in`, `and`, `or`, `&`, `? :`, `$exists`, `$not`, parentheses, lists and objects with fixed names.
 * @returns null where one node is not
 */
export function compilePlain(root: AstNode): PlainExpression | null {
  return compile(root, 0);
}

function compile(node: AstNode, depth: number): PlainExpression | null {
  const form = FORMS[node.type];
  // What a form does not know of (a predicate, a grouping, a kept list) would change what the node means.
  if (!form || depth > MAX_DEPTH || !Object.keys(node).every((key) => form.keys.includes(key))) return null;
  return form.compile(node, depth + 1);
}

interface Form {
  keys: readonly string[];
  compile(node: AstNode, depth: number): PlainExpression | null;
}

const LITERAL: Form = {
  keys: ['type', 'value', 'position'],
  compile:
    ({ value }) =>
    () =>
      value,
};

const FORMS: Readonly<Record<string, Form | undefined>> = {
  string: LITERAL,
  number: LITERAL,
  value: LITERAL,
  path: { keys: ['type', 'steps'], compile: compilePath },
  binary: { keys: ['type', 'value', 'position', 'lhs', 'rhs'], compile: compileBinary },
  function: { keys: ['type', 'name', 'value', 'position', 'arguments', 'procedure'], compile: compileCall },
  condition: { keys: ['type', 'position', 'condition', 'then', 'else'], compile: compileCondition },
  unary: { keys: ['type', 'value', 'position', 'expressions', 'lhs'], compile: compileConstructor },
  block: {
    keys: ['type', 'position', 'expressions'],
    compile({ expressions }, depth) {
      const [only, ...others] = expressions ?? [];
      return only && others.length === 0 ? compile(only, depth) : null;
    },
  },
};

function compilePath({ steps }: AstNode): PlainExpression | null {
  const names: string[] = [];
  for (const step of steps ?? []) {
    if (step.type !== 'name' || typeof step.value !== 'string') return null;
    if (!Object.keys(step).every((key) => LITERAL.keys.includes(key))) return null;
    names.push(step.value);
  }
  return (event) => {
    let value = event;
    for (const name of names) {
      if (!isPlainObject(value) || !Object.hasOwn(value, name)) return undefined;
      value = (value as Record<string, unknown>)[name];
    }
    // Asked for its effect: the value itself may be anything but a list.
    isPlainObject(value);
    return value;
  };
}

/** @throws NEEDS_WORKER for a list, and for data that JSONata takes for a function */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) || isJsonataFunction(value)) throw NEEDS_WORKER;
  return true;
}

function compileBinary({ value, lhs, rhs }: AstNode, depth: number): PlainExpression | null {
  const operator = PLAIN_OPERATORS[String(value)];
  const left = operator && compile(lhs as AstNode, depth);
  const right = left && compile(rhs!, depth);
  return operator && left && right ? operator(left, right) : null;
}

function compileCall({ procedure, arguments: args }: AstNode, depth: number): PlainExpression | null {
  const [argument, ...others] = args ?? [];
  if (procedure?.type !== 'variable' || procedure.value === undefined || !argument || others.length > 0)
    return null;
  if (Object.keys(procedure).some((key) => !LITERAL.keys.includes(key))) return null;
  const read = compile(argument, depth);
  if (!read) return null;
  if (procedure.value === 'exists') return (event) => read(event) !== undefined;
  if (procedure.value === 'not') {
    return (event) => {
      const value = read(event);
      return value === undefined ? undefined : !isTrue(value);
    };
  }
  return null;
}

function compileCondition(node: AstNode, depth: number): PlainExpression | null {
  const condition = compile(node.condition!, depth);
  const then = compile(node.then!, depth);
  const otherwise = node.else ? compile(node.else, depth) : () => undefined;
  if (!condition || !then || !otherwise) return null;
  return (event) => (isTrue(condition(event)) ? then(event) : otherwise(event));
}

function compileConstructor(node: AstNode, depth: number): PlainExpression | null {
  if (node.value === '[') return compileList(node.expressions!, depth);
  return node.value === '{' ? compileObject(node.lhs as [AstNode, AstNode][], depth) : null;
}

function compileList(items: readonly AstNode[], depth: number): PlainExpression | null {
  const members: { read: PlainExpression; isList: boolean }[] = [];
  for (const item of items) {
    const read = compile(item, depth);
    if (!read) return null;
    members.push({ read, isList: item.value === '[' });
  }
  return (event) => {
    const list: unknown[] = [];
    for (const { read, isList } of members) {
      const value = read(event);
      if (value === undefined) continue;
      // A list written inside a list stays one; one that comes out of a condition is joined to this one.
      if (Array.isArray(value) && !isList) list.push(...(value as unknown[]));
      else list.push(value);
    }
    return list;
  };
}

function compileObject(pairs: readonly [AstNode, AstNode][], depth: number): PlainExpression | null {
  const members = new Map<string, PlainExpression>();
  for (const [key, node] of pairs) {
    const read = compile(node, depth);
    if (!read || key.type !== 'string' || typeof key.value !== 'string') return null;
    if (members.has(key.value) || REFUSED_NAMES.has(key.value) || !LITERAL.compile(key, depth)) return null;
    if (Object.keys(key).some((name) => !LITERAL.keys.includes(name))) return null;
    members.set(key.value, read);
  }
  return (event) => {
    // JSONata walks a list, and what it takes for its own stream of tuples, member by member.
    if (isPlainObject(event) && (event as { tupleStream?: unknown }).tupleStream) throw NEEDS_WORKER;
    const object: Record<string, unknown> = {};
    for (const [name, read] of members) {
      const value = read(event);
      if (value !== undefined) object[name] = value;
    }
    return object;
  };
}

/** Names that JSONata refuses, and the one that is no ordinary member of an object. */
const REFUSED_NAMES = new Set(['__proto__', '_jsonata_lambda', '_jsonata_function']);
