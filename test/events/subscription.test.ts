import { describe, expect, it } from 'vitest';
import { eventTypes } from '../../gateway/events/catalog.ts';
import {
  compileTypeFilter,
  isOperationalType,
  typePatternProblem,
} from '../../gateway/events/subscription.ts';

describe('compileTypeFilter', () => {
  it('lets an exact name through and nothing near it', () => {
    const filter = compileTypeFilter(['work_order.created', 'operation.started']);
    expect(filter('work_order.created')).toBe(true);
    expect(filter('operation.started')).toBe(true);
    expect(filter('work_order.created.again')).toBe(false);
    expect(filter('work_order')).toBe(false);
  });

  it('lets a family through, deeper names too, and not its namesakes', () => {
    const filter = compileTypeFilter(['work_order.*']);
    expect(filter('work_order.updated')).toBe(true);
    expect(filter('work_order.updated.twice')).toBe(true);
    expect(filter('work_order')).toBe(false);
    expect(filter('work_orders.updated')).toBe(false);
  });

  it('lets everything but the operational events through for *', () => {
    const filter = compileTypeFilter(['*']);
    for (const { name } of eventTypes) expect(filter(name)).toBe(!isOperationalType(name));
    expect(filter('api.deprecation')).toBe(true);
    expect(filter('unknown')).toBe(true);
    expect(filter('hookliner.called')).toBe(true);
  });

  it('lets operational events through when asked by name or family', () => {
    expect(compileTypeFilter(['*', 'hookline.backlog.old'])('hookline.backlog.old')).toBe(true);
    expect(compileTypeFilter(['*', 'hookline.backlog.old'])('hookline.source.silent')).toBe(false);
    expect(compileTypeFilter(['hookline.*'])('hookline.source.silent')).toBe(true);
    expect(compileTypeFilter(['*', 'hookline.delivery.*'])('hookline.delivery.failed')).toBe(true);
    expect(compileTypeFilter(['hookline.delivery.*'])('hookline.source.silent')).toBe(false);
  });

  it('understands another spelling of a catalogued name', () => {
    const filter = compileTypeFilter(['work-order.created']);
    expect(filter('work_order.created')).toBe(true);
    expect(filter('work-order.created')).toBe(true);
  });

  it('lets nothing through for no pattern', () => {
    expect(compileTypeFilter([])('work_order.created')).toBe(false);
  });
});

describe('typePatternProblem', () => {
  it.each(['work_order.created', 'work_order.*', '*', 'hookline.*', 'a', 'Tool Crib.empty', 'x:y'])(
    'has nothing against %j',
    (pattern) => expect(typePatternProblem(pattern)).toBeNull(),
  );

  it.each([
    '',
    ' a.b',
    'a.b\n',
    'a\u0000b',
    'work_order*',
    '**',
    '*.created',
    'a.*.b',
    '.*',
    '.a',
    'a.',
    'a..*',
  ])('refuses %j with a sentence', (pattern) => expect(typePatternProblem(pattern)).toMatch(/\w{3}/));

  it('refuses a name that is too long', () => {
    expect(typePatternProblem('x'.repeat(256))).toBeNull();
    expect(typePatternProblem('x'.repeat(257))).toContain('at most 256');
  });
});
