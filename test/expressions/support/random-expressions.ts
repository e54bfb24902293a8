import fc from 'fast-check';

/** Few names, so that expressions and events meet; among them those that mean something to JavaScript or JSONata. */
const NAMES = [
  'a',
  'b',
  'type',
  'data',
  'and',
  'in',
  'constructor',
  'toString',
  'length',
  'sequence',
  'outerWrapper',
  'tupleStream',
  '_jsonata_lambda',
  '_jsonata_function',
] as const;

const name = fc.constantFrom(...NAMES);
const text = fc.constantFrom('', 'a', 'x', 'b', '10', 'CRITICAL', '[', '{', 'é"\\');
const number = fc.constantFrom(0, 1, 5, -1, 0.1, 1.005, 100, 1e21, 12345678.901234567, 1e-7);
const scalar = fc.oneof(text, number, fc.boolean(), fc.constant(null));

/** Events of any shape: lists, odd names, numbers beyond all limits, and things that are no objects at all. */
export const anyEvent: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 5, arbitrary: scalar },
    { weight: 1, arbitrary: fc.constant(Infinity) },
    { weight: 4, arbitrary: fc.dictionary(name, tie('value'), { maxKeys: 5 }) },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
  ),
  event: fc.oneof(
    { weight: 8, arbitrary: fc.dictionary(name, tie('value'), { maxKeys: 8 }) },
    { weight: 1, arbitrary: tie('value') },
  ),
})).event;

const literal = fc.oneof(
  text.map((value) => JSON.stringify(value)),
  number.map(String).filter((written) => !written.includes('+')),
  fc.constantFrom('true', 'false', 'null'),
);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'type', 'data', 'length', 'sequence') },
  { weight: 2, arbitrary: name.map((each) => `\`${each}\``) },
);

const path = fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => steps.join('.'));

const operator = fc.constantFrom('=', '!=', '<', '<=', '>', '>=', 'in', 'and', 'or', '&');

/** Expressions of all the plain forms inside each other, with and without parentheses. */
export const anyPlainSource: fc.Arbitrary<string> = fc.letrec<Record<string, string>>((tie) => ({
  source: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 4, arbitrary: path },
    { weight: 3, arbitrary: literal },
    {
      weight: 6,
      arbitrary: fc.tuple(tie('source'), operator, tie('source')).map((parts) => parts.join(' ')),
    },
    { weight: 2, arbitrary: tie('source').map((inner) => `(${inner})`) },
    { weight: 1, arbitrary: tie('source').map((inner) => `$exists(${inner})`) },
    { weight: 1, arbitrary: tie('source').map((inner) => `$not(${inner})`) },
    {
      weight: 1,
      arbitrary: fc.array(tie('source'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie('source'), tie('source'), tie('source'))
        .map(([condition, then, otherwise]) => `(${condition} ? ${then} : ${otherwise})`),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.tuple(name, tie('source')), { maxLength: 3 })
        .map((pairs) => `{${pairs.map(([key, value]) => `${JSON.stringify(key)}: ${value}`).join(', ')}}`),
    },
  ),
})).source as fc.Arbitrary<string>;
