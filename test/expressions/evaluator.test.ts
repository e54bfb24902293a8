import { describe, expect, test } from 'vitest';
import { createEvaluator } from '../../gateway/expressions/evaluator.ts';

const evaluator = await createEvaluator(60_000);
const AT = Date.UTC(2026, 0, 15, 8, 30, 0);

function evaluate(source: string, event: unknown = {}): ReturnType<typeof evaluator.evaluate> {
  return evaluator.evaluate(source, event, AT);
}

describe('the time', () => {
  test.each([
    ['$now()', '2026-01-15T08:30:00.000Z'],
    ['$now("[Y]-[M01]-[D01]")', '2026-01-15'],
    ['$now("[H01]:[m01]", "+0100")', '09:30'],
    ['$millis()', AT],
    ['$fromMillis($millis())', '2026-01-15T08:30:00.000Z'],
    ['($fromMillis := function($n) { "mine" }; $now())', '2026-01-15T08:30:00.000Z'],
  ])('%s gives the time of the evaluation', async (source, value) => {
    expect(await evaluate(source)).toEqual({ ok: true, value });
  });

  test('is that of each evaluation, of one and the same expression too', async () => {
    const first = await evaluator.evaluate('$millis()', {}, 1);
    const second = await evaluator.evaluate('$millis()', {}, 2);
    expect([first, second]).toEqual([
      { ok: true, value: 1 },
      { ok: true, value: 2 },
    ]);
  });
});

test.each([
  ['$pad("x", 3)', 'x  '],
  ['$pad("x", -3, "ab")', 'abx'],
  ['"x" ~> $pad(3)', 'x  '],
  ['($p := $pad(?, 3, "-"); $p("x"))', 'x--'],
  ['$pad(nothing, 3)', undefined],
])('%s pads as in JSONata', async (source, value) => {
  expect(await evaluate(source)).toEqual({ ok: true, value });
});

describe('what an expression gives', () => {
  test('may be as large as the limit and no larger', async () => {
    expect(await evaluate('$pad("", 1048570)')).toMatchObject({ ok: true });
    expect(await evaluate('$pad("", 1048576)')).toMatchObject({ ok: false, code: 'EXPRESSION_MEMORY' });
  });

  test.each(['function($x) { $x }', '{"f": $uppercase}', '[$sum]', '/a/("a").next'])(
    'is a value: %s is refused',
    async (source) => {
      expect(await evaluate(source)).toEqual({
        ok: false,
        code: 'EXPRESSION_ERROR',
        message: 'The expression does not fit this event: It gives a function, where a value is needed.',
      });
    },
  );
});

describe('an error', () => {
  test.each([
    ['type > 5', { type: 'secret-word' }],
    ['type > {"a": 5}', { type: 'secret-word' }],
    ['5 < type', { type: { operator: 'secret-word' } }],
    ['$number(type)', { type: 'secret-word' }],
    ['$sum(type)', { type: ['secret-word'] }],
    ['[type]^($)', { type: [1, 'secret-word'] }],
    ['{type: 1}', { type: { operator: 'secret-word' } }],
    ['$toMillis(type)', { type: 'secret-word' }],
    ['$formatBase(5, type)', { type: 99 }],
  ])('of %s names what is wrong and nothing out of the event', async (source, event) => {
    const result = await evaluate(source, event);
    expect(result).toMatchObject({ ok: false, code: 'EXPRESSION_ERROR' });
    expect(JSON.stringify(result)).not.toContain('secret-word');
  });

  test('says where and why in a sentence', async () => {
    expect(await evaluate('data.quantity > 100', { data: { quantity: 'many' } })).toEqual({
      ok: false,
      code: 'EXPRESSION_ERROR',
      message:
        'The expression does not fit this event: ' +
        'The values a text and 100 either side of operator ">" must be of the same data type.',
      position: 15,
    });
  });

  test('of a function that calls itself without end says so', async () => {
    expect(await evaluate('($f := function($n) { 1 + $f($n) }; $f(1))')).toMatchObject({
      ok: false,
      code: 'EXPRESSION_ERROR',
      message: expect.stringContaining('non-terminating recursive function') as string,
    });
  });

  test('is not made of a function that calls itself a hundred times', async () => {
    const factorial = '($f := function($n) { $n < 2 ? 1 : $n * $f($n - 1) }; $f(100))';
    expect(await evaluate(factorial)).toMatchObject({ ok: true });
  });

  test('that the author raises comes in the author’s words, shortened', async () => {
    expect(await evaluate('$error("no machine")')).toMatchObject({
      message: 'The expression does not fit this event: no machine.',
    });
    const long = await evaluate('$error($pad("x", 5000, "y"))');
    expect(long.ok ? '' : long.message.length).toBeLessThan(400);
  });
});

describe('patterns', () => {
  test('are tried when an expression is checked, not only when it is used', () => {
    expect(evaluator.check('false and $contains(type, /(a)\\1/)')).toMatchObject({
      ok: false,
      code: 'EXPRESSION_SYNTAX',
      position: 33,
    });
  });

  test.each([
    ['$match("a1b22", /[0-9]+/)', [match('1', 1), match('22', 3)]],
    ['$replace("Mill 12", /([a-z]+) ([0-9]+)/i, "$2 $1")', '12 Mill'],
    ['$split("a, b;c", /[,;] ?/)', ['a', 'b', 'c']],
    ['$contains("line one\nLINE two", /^line two$/im)', true],
    ['$match("ab", /(x)?(b)/).groups', [null, 'b']],
  ])('%s works as in JSONata', async (source, value) => {
    const result = await evaluate(source);
    expect(result.ok ? (JSON.parse(JSON.stringify(result.value)) as unknown) : result).toEqual(value);
  });

  function match(text: string, index: number): object {
    return { match: text, index, groups: [] };
  }
});
