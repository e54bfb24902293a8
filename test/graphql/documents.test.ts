import { parse } from 'graphql';
import { getIntrospectionQuery } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createDocumentCache } from '../../gateway/graphql/document-cache.ts';
import { documentLimitErrors } from '../../gateway/graphql/document-limits.ts';
import { schema } from '../../gateway/graphql/schema.ts';
import type { Scope } from '../../gateway/services.ts';

const admin: ReadonlySet<Scope> = new Set(['admin']);

function faults(document: string): string[] {
  return documentLimitErrors(parse(document)).map(({ message }) => message);
}

describe('the limits of a document', () => {
  it('leave alone what clients ask', () => {
    expect(faults(getIntrospectionQuery({ inputValueDeprecation: true }))).toEqual([]);
    expect(faults(`{ ${'a { '.repeat(11)} b ${'}'.repeat(11)} }`)).toEqual([]);
    expect(faults(`{ ${Array.from({ length: 20 }, (_, place) => `a${place}: b`).join(' ')} }`)).toEqual([]);
  });

  it('end depth at 12', () => {
    expect(faults(`{ ${'a { '.repeat(12)} b ${'}'.repeat(12)} }`)).toEqual([
      expect.stringContaining('13 fields within each other; at most 12'),
    ]);
  });

  it('count depth through fragments', () => {
    const fragments =
      'fragment F on X { a { a { a { a { a { a { ...G } } } } } } } fragment G on X { a { a { a { a { a { a { b } } } } } } }';
    expect(faults(`{ ...F } ${fragments}`)).toEqual([expect.stringContaining('13 fields within each other')]);
    expect(faults(`{ ... on Query { ...F } } ${fragments}`)).toEqual([
      expect.stringContaining('13 fields within each other'),
    ]);
  });

  it('end aliases at 30, wherever they are', () => {
    const inner = Array.from({ length: 16 }, (_, place) => `a${place}: b`).join(' ');
    expect(faults(`{ x { ${inner} } y { ${inner} } }`)).toEqual([
      expect.stringContaining('32 aliases; at most 30'),
    ]);
  });

  it('count the aliases of a fragment each time it is used, in no time', () => {
    const chain = Array.from(
      { length: 12 },
      (_, place) => `fragment F${place} on X { a: x { ...F${place + 1} } b: x { ...F${place + 1} } }`,
    );
    expect(faults(`{ ...F0 } ${chain.join(' ')} fragment F12 on X { y }`)).toContainEqual(
      expect.stringContaining('8190 aliases'),
    );
  });

  it('end the fields of an operation at 20', () => {
    const fields = Array.from({ length: 21 }, (_, place) => `f${place}`).join(' ');
    expect(faults(`{ ${fields} }`)).toEqual([
      expect.stringContaining('21 fields of the operation; at most 20'),
    ]);
    expect(faults(`{ ...F } fragment F on Query { ${fields} }`)).toHaveLength(1);
  });

  it('survive fragments that go in circles', () => {
    expect(faults('{ ...F } fragment F on X { a { ...G } } fragment G on X { a { ...F } }')).toEqual([]);
  });
});

describe('the documents that are kept', () => {
  it('are prepared once per set of scopes', () => {
    const cache = createDocumentCache(schema);
    const text = '{ events { liveCursor } }';
    const first = cache.prepare(text, admin);
    expect(first.errors).toEqual([]);
    expect(cache.prepare(text, new Set(['admin'])).document).toBe(first.document);
    expect(cache.prepare(text, new Set(['events:read'])).document).not.toBe(first.document);
    expect(cache.prepare(text, new Set(['webhooks:read'])).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
  });

  it('are the five hundred that were used last', () => {
    const cache = createDocumentCache(schema);
    const text = (number: number): string => `query Q${number} { viewer { name } }`;
    const [first, second] = [cache.prepare(text(0), admin), cache.prepare(text(1), admin)];
    for (let number = 2; number < 500; number += 1) cache.prepare(text(number), admin);
    expect(cache.prepare(text(0), admin).document).toBe(first.document);
    cache.prepare(text(500), admin);
    expect(cache.prepare(text(0), admin).document).toBe(first.document);
    expect(cache.prepare(text(1), admin).document).not.toBe(second.document);
  });

  it('are not those that failed, nor very long ones', () => {
    const cache = createDocumentCache(schema);
    const wrong = cache.prepare('{ nothing }', admin);
    expect(wrong.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'query' } }]);
    expect(cache.prepare('{ nothing }', admin).document).not.toBe(wrong.document);
    const long = `{ viewer { name } } # ${'x'.repeat(20_000)}`;
    expect(cache.prepare(long, admin).document).not.toBe(cache.prepare(long, admin).document);
  });

  it('have at most two thousand tokens', () => {
    const cache = createDocumentCache(schema);
    expect(() => cache.prepare(`{ ${'__typename '.repeat(2000)} }`, admin)).toThrow(/2000 tokens/);
  });
});
