import { describe, expect, test } from 'vitest';
import { type CompiledExpression, compileExpression } from '../../gateway/expressions/expression.ts';
import { evaluateWithJsonata, toPlain } from './support/evaluate-with-jsonata.ts';

const EVENT = {
  id: 'evt-8f41c31b',
  type: 'quality.ncr_created',
  timestamp: '2026-03-09T11:18:40.000Z',
  source: 'mes',
  machine: { id: 'haas-1', name: 'Haas VF-2', group: 'Milling' },
  data: {
    ncr: { id: 'ncr-7', severity: 'CRITICAL', description: '', disposition: null },
    workOrder: { id: 'wo-5120', quantity: 120, scrapRate: 0.1 + 0.2, isRush: true, 'part number': 'P-9' },
    tags: ['scrap', 'rework'],
  },
  test: false,
};

/** What the documentation promises to be evaluated on the spot. */
const PLAIN = [
  'type = "quality.ncr_created"',
  'type != "work_order.created"',
  'data.workOrder.quantity > 100',
  'data.workOrder.quantity <= 100',
  'machine.group = "Milling" and data.ncr.severity in ["MAJOR", "CRITICAL"]',
  'machine.group = "Turning" or ($not(test) and data.workOrder.isRush)',
  'data.ncr.disposition = null',
  'data.ncr.description',
  'data.workOrder.`part number`',
  'data.workOrder."part number"',
  'data.nothing.here',
  'data.nothing > 3',
  'data.nothing = null or data.nothing != null',
  '$exists(data.ncr)',
  '$exists(data.nothing)',
  '$not(data.nothing)',
  'machine.id & "/" & data.workOrder.id & data.nothing',
  'data.workOrder.quantity & " parts, " & data.workOrder.scrapRate & data.workOrder.isRush & data.ncr.disposition',
  'data.workOrder.quantity > -5',
  '"haas-1" in machine.id',
  'data.ncr',
  '(test ? "test" : type)',
  '{"order": data.workOrder.id, "severities": ["MAJOR", data.ncr.severity, data.nothing], "none": data.nothing}',
  'true',
  'null',
  '"text"',
];

describe('a plain expression', () => {
  test.each(PLAIN)('%s is evaluated on the spot, with JSONata’s result', async (source) => {
    const expression = compile(source);
    expect(expression.isPlain).toBe(true);
    const inline = expression.evaluateInline(EVENT);
    expect(inline).not.toBe('needs_worker');
    const value = inline === 'needs_worker' ? inline : toPlain(inline.value);
    expect(await evaluateWithJsonata(source, EVENT)).toEqual({ value });
  });

  test.each([
    ['a list in its way', 'data.items.id = "a"', { data: { items: [{ id: 'a' }] } }],
    ['a list as the value', '"scrap" in data.tags', EVENT],
    ['a text compared with a number', 'type > 5', EVENT],
    ['a comparison with null', 'data.ncr.disposition < 5', EVENT],
    ['two structures compared', 'machine = data', EVENT],
    ['a structure made into text', '"" & machine', EVENT],
    ['a number beyond all limits', 'a and true', { a: Infinity }],
    ['data that JSONata takes for a function', '$not(a)', { a: { _jsonata_lambda: true } }],
    ['a list as the event', 'type = "x"', [{ type: 'x' }]],
  ])('leaves an event with %s to the worker', (_, source, event) => {
    const expression = compile(source);
    expect(expression.isPlain).toBe(true);
    expect(expression.evaluateInline(event)).toBe('needs_worker');
  });

  test('leaves a value that grows beyond the limit to the worker, which refuses it', () => {
    const event = { text: 'x'.repeat(300_000) };
    expect(compile('text & text & text & text').evaluateInline(event)).toBe('needs_worker');
    expect(compile('[text, text, text, text]').evaluateInline(event)).toBe('needs_worker');
    expect(compile('text & text').evaluateInline(event)).toMatchObject({ ok: true });
  });

  test('may be as long as the limit allows', () => {
    const source = Array.from({ length: 200 }, (_, n) => `data.n${n} = ${n}`).join(' or ');
    expect(compile(source).evaluateInline({ data: { n199: 199 } })).toEqual({ ok: true, value: true });
  });
});

test.each([
  'data.tags[0]',
  'data.tags[$ = "scrap"]',
  'data.*',
  '**.id',
  'data.ncr[]',
  'data.workOrder.quantity + 1',
  '-data.workOrder.quantity',
  '$uppercase(type)',
  '$exists(type, type)',
  '($x := type; $x)',
  'data.tags ~> $count',
  '[1..3]',
  'data.tags.{"tag": $}',
  '{type: 1}',
  '{"__proto__": 1}',
  'data^(id)',
  '$$.type',
  '$contains(type, /ncr/)',
])('%s is left to the worker', (source) => {
  const expression = compile(source);
  expect(expression.isPlain).toBe(false);
  expect(expression.evaluateInline(EVENT)).toBe('needs_worker');
});

describe('an expression that cannot be read', () => {
  test.each([
    ['type = ', 7, 'near character 8: Unexpected end of expression.'],
    ['type = "x', 9, 'String literal must be terminated by a matching quote.'],
    ['(type = "x"', 11, 'Expected ")" before end of expression.'],
    ['type == "x"', 7, 'The symbol "=" cannot be used as a unary operator.'],
    ['', 0, 'Unexpected end of expression.'],
  ])('%j is refused with the place and the reason', (source, position, words) => {
    expect(compileExpression(source)).toEqual({
      ok: false,
      code: 'EXPRESSION_SYNTAX',
      position,
      message: expect.stringContaining(words) as string,
    });
  });

  test('longer than 4,096 characters is refused', () => {
    expect(compileExpression(`"${'x'.repeat(4_094)}"`)).toMatchObject({ ok: true });
    expect(compileExpression(`"${'x'.repeat(4_095)}"`)).toMatchObject({
      code: 'EXPRESSION_SYNTAX',
      message: 'The expression cannot be read: it has 4097 characters, of 4096 that are allowed.',
    });
  });

  test('nested beyond the parser’s stack is refused', () => {
    expect(compileExpression('['.repeat(2_000) + ']'.repeat(2_000))).toMatchObject({
      code: 'EXPRESSION_SYNTAX',
      message: 'The expression cannot be read: it is nested too deeply.',
    });
  });

  test.each(['$random()', '$shuffle(data.tags)', '$eval(data.code)', '$map(data.tags, $eval)'])(
    '%s is refused, because a result must be the same every time and data is never run',
    (source) => {
      expect(compileExpression(source)).toMatchObject({
        code: 'EXPRESSION_SYNTAX',
        message: expect.stringMatching(/\$(random|shuffle|eval) is not available/) as string,
      });
    },
  );

  test('with a pattern that the parser would lose is refused', () => {
    expect(compileExpression('$contains(type, /a/ ?: "b")')).toMatchObject({
      code: 'EXPRESSION_SYNTAX',
      message: expect.stringContaining('cannot stand to the left of ?? or ?:') as string,
    });
  });
});

test('an expression whose reading would never end is not read here', () => {
  const source = Array.from({ length: 100 }).reduce<string>((inner) => `(${inner} ?? b)`, 'a');
  expect(compile(source).isPlain).toBe(false);
});

function compile(source: string): CompiledExpression {
  const compiled = compileExpression(source);
  if (!compiled.ok) throw new Error(compiled.message);
  return compiled.expression;
}
