import { afterAll, describe, expect, test } from 'vitest';
import { createExpressionPool } from '../../gateway/expressions/expression-pool.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { findWorkers } from './support/expression-workers.ts';
import { GROWS_A_TEXT, HANGS_IN_A_PATTERN, NEVER_ENDS, rename } from './support/hostile-expressions.ts';

const EVENT = {
  id: 'evt-1',
  type: 'quality.ncr_created',
  data: { quantity: 120, tags: ['scrap', 'rework'] },
};
const IS_SCRAP = '"scrap" in data.tags';

const clock = new ManualClock();
const pool = createExpressionPool({ clock });

afterAll(() => pool.close());

describe('what is asked', () => {
  test('a plain expression needs no process, all others together need one', async () => {
    const own = createExpressionPool({ clock });
    const others = findWorkers();
    expect(await own.evaluate('data.quantity > 100', EVENT)).toEqual({ ok: true, value: true });
    expect(await own.check('data.quantity > 100')).toEqual({ ok: true });
    expect(findWorkers()).toEqual(others);
    expect(await own.evaluate(IS_SCRAP, EVENT)).toEqual({ ok: true, value: true });
    expect(await own.evaluate('$uppercase(type)', EVENT)).toEqual({ ok: true, value: 'QUALITY.NCR_CREATED' });
    expect(findWorkers()).toHaveLength(others.length + 1);
    await own.close();
    expect(findWorkers()).toEqual(others);
  });

  test('a thousand evaluations at once, of different expressions and events, each get their own value', async () => {
    const asked = Array.from({ length: 1_000 }, (_, n) =>
      pool.evaluate(`$sum([n, ${n % 10}])`, { n, text: 'x'.repeat(2_000) }),
    );
    const values = Array.from({ length: 1_000 }, (_, n) => ({ ok: true, value: n + (n % 10) }));
    expect(await Promise.all(asked)).toEqual(values);
  });

  test('an expression that finds nothing has the value undefined', async () => {
    expect(await pool.evaluate('$lookup(data, "nothing")', EVENT)).toEqual({ ok: true, value: undefined });
  });

  test('an event larger than a batch is evaluated too', async () => {
    const result = await pool.evaluate('$length(text)', { text: 'x'.repeat(1_200_000) });
    expect(result).toEqual({ ok: true, value: 1_200_000 });
  });

  test('two processes share the work', async () => {
    const two = createExpressionPool({ clock, processes: 2 });
    const others = findWorkers();
    const asked = Array.from({ length: 300 }, (_, n) => two.evaluate('$sum([n, 1])', { n }));
    expect(await Promise.all(asked)).toHaveLength(300);
    expect(findWorkers()).toHaveLength(others.length + 2);
    await two.close();
  });

  test('the time is the one passed in, else the clock’s', async () => {
    const at = Date.UTC(2026, 2, 9, 11, 18, 40);
    expect(await pool.evaluate('$now()', EVENT, at)).toEqual({ ok: true, value: '2026-03-09T11:18:40.000Z' });
    expect(await pool.evaluate('$millis()', EVENT)).toEqual({ ok: true, value: clock.now() });
  });
});

describe('checking an expression', () => {
  test('finds what only the worker can read', async () => {
    const defaults = Array.from({ length: 20 }, (_, n) => `"m${n}": data.m${n} ?? 0`).join(', ');
    expect(await pool.check(`{${defaults}}`)).toEqual({ ok: true });
    expect(await pool.check(`{${defaults}`)).toMatchObject({ ok: false, code: 'EXPRESSION_SYNTAX' });
    expect(await pool.check('$contains(type, /(?=x)/)')).toMatchObject({
      ok: false,
      code: 'EXPRESSION_SYNTAX',
      message: expect.stringContaining('/(?=x)/ is not one that RE2 knows') as string,
    });
  });

  test('ends for an expression whose reading alone would never end', async () => {
    const source = Array.from({ length: 200 }).reduce<string>((inner) => `(${inner} ?? b)`, 'a');
    expect(await pool.check(source)).toMatchObject({
      ok: false,
      code: expect.stringMatching(/TIMEOUT|MEMORY/) as string,
    });
    expect(await pool.check(IS_SCRAP)).toEqual({ ok: true });
  });

  test('runs nothing', async () => {
    expect(await pool.check(NEVER_ENDS)).toEqual({ ok: true });
  });
});

describe('hostile expressions', () => {
  const hasty = createExpressionPool({ clock, timeoutMs: 100 });

  afterAll(() => hasty.close());

  test.each([
    ['padding to a gigabyte', '$pad("x", 1000000000)', 'EXPRESSION_MEMORY'],
    ['padding to 100 MB', '$pad("x", 100000000)', 'EXPRESSION_MEMORY'],
    ['a list of ten million', '$count([1..9999999])', 'EXPRESSION_MEMORY'],
    ['a list that doubles', '($f := function($l) { $f($append($l, $l)) }; $f([1]))', 'EXPRESSION_MEMORY'],
    ['a text that doubles, which ends a thread and all of its process', GROWS_A_TEXT, 'EXPRESSION_MEMORY'],
    [
      'a structure that holds itself twice, forty levels deep',
      '($f := function($n, $k) { $k = 0 ? $n : $f([[$n], [$n]], $k - 1) }; $f([1], 40))',
      'EXPRESSION_MEMORY',
    ],
    ['a result of two megabytes', '[1, 2].$pad("x", 1000000)', 'EXPRESSION_MEMORY'],
    ['recursion without end', '($f := function($n) { 1 + $f($n) }; $f(1))', /ERROR|TIMEOUT/],
    ['a loop without end', NEVER_ENDS, 'EXPRESSION_TIMEOUT'],
    ['a loop without end beside an error', `[$error("x"), ${NEVER_ENDS}]`, 'EXPRESSION_TIMEOUT'],
    ['a pattern of JSONata’s own', HANGS_IN_A_PATTERN, 'EXPRESSION_TIMEOUT'],
  ])('%s is stopped, and the next one is evaluated', async (_, source, code) => {
    const stopped = { ok: false, code: expect.stringMatching(code) as string };
    expect(await hasty.evaluate(source, EVENT)).toMatchObject(stopped);
    expect(await hasty.evaluate(IS_SCRAP, EVENT)).toEqual({ ok: true, value: true });
  });

  test('a loop, recursion and what grows step by step are stopped without ending the process', async () => {
    await hasty.evaluate('$sum([1])', EVENT);
    const workers = findWorkers();
    await hasty.evaluate(rename(NEVER_ENDS, 'in peace'), EVENT);
    await hasty.evaluate('/* in peace */ ($f := function($n) { 1 + $f($n) }; $f(1))', EVENT);
    await hasty.evaluate('/* in peace */ $count([1..9999999])', EVENT);
    expect(findWorkers()).toEqual(workers);
  });

  test.each(['/^(a+)+$/', '/^(a|a)*$/', '/^(a|aa)+$/', '/(.*a){20}$/', '/^(([a-z])+.)+[A-Z]([a-z])+$/'])(
    'the pattern %s, which takes others for ever, takes a moment on a long text',
    async (pattern) => {
      const source = `$contains(text, ${pattern})`;
      const text = `${'a'.repeat(2_000)}!`;
      expect(await pool.evaluate(source, { text })).toEqual({ ok: true, value: false });
    },
  );

  test.each([
    ['hangs', HANGS_IN_A_PATTERN, 'EXPRESSION_TIMEOUT'],
    ['grows', GROWS_A_TEXT, 'EXPRESSION_MEMORY'],
    ['never ends', NEVER_ENDS, 'EXPRESSION_TIMEOUT'],
  ])('of all that is asked together only the one that %s fails', async (name, source, code) => {
    const before = Array.from({ length: 50 }, (_, n) => hasty.evaluate('$sum([n, 1])', { n }));
    const guilty = hasty.evaluate(rename(source, name), EVENT);
    const after = Array.from({ length: 50 }, (_, n) => hasty.evaluate('$sum([n, 2])', { n }));
    expect(await guilty).toMatchObject({ ok: false, code });
    expect(await Promise.all(before)).toEqual(before.map((_, n) => ({ ok: true, value: n + 1 })));
    expect(await Promise.all(after)).toEqual(after.map((_, n) => ({ ok: true, value: n + 2 })));
  });

  test('one that must be stopped again is refused at once for a while, and the others are not', async () => {
    const source = rename(NEVER_ENDS, 'refused');
    await hasty.evaluate(source, EVENT);
    await hasty.evaluate(source, EVENT);
    const until = new Date(clock.now() + 1_000).toISOString();
    expect(await hasty.evaluate(source, EVENT)).toMatchObject({
      ok: false,
      code: 'EXPRESSION_TIMEOUT',
      message: expect.stringContaining(`not evaluated again before ${until}`) as string,
    });
    expect(await hasty.evaluate(IS_SCRAP, EVENT)).toEqual({ ok: true, value: true });
    clock.advance(1_000);
    expect(await hasty.evaluate(source, EVENT)).toMatchObject({
      message: expect.not.stringContaining('not evaluated again') as string,
    });
  });

  test('a hundred that wait while the same one is found guilty do not each have to be stopped', async () => {
    const source = rename(NEVER_ENDS, 'a hundred times');
    const results = await Promise.all(Array.from({ length: 100 }, (_, n) => hasty.evaluate(source, { n })));
    const refused = results.filter((result) => !result.ok && result.message.includes('not evaluated again'));
    expect(results.every((result) => !result.ok && result.code === 'EXPRESSION_TIMEOUT')).toBe(true);
    expect(refused).toHaveLength(98);
  });
});
