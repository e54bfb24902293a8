import { readFile } from 'node:fs/promises';
import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../gateway/graphql/schema.ts';
import { SCOPES_BY_FIELD, SCOPES_BY_NODE_TYPE } from '../../gateway/graphql/scopes.ts';
import { schemaText } from '../../scripts/print-schema.ts';

const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
);

/** Every named part of the schema with its description. */
function* describedParts(): Generator<[string, string | null | undefined]> {
  for (const type of types) {
    yield [type.name, type.description];
    if (isEnumType(type))
      for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value.description];
    if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields()))
        yield [`${type.name}.${field.name}`, field.description];
    }
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        yield [`${type.name}.${field.name}`, field.description];
        for (const arg of field.args) yield [`${type.name}.${field.name}(${arg.name}:)`, arg.description];
      }
    }
  }
}

const rootFields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
  (type) => Object.keys(type!.getFields()).map((field) => `${type!.name}.${field}`),
);

describe('the schema', () => {
  it('is the one that is committed; if it is not, run: node scripts/print-schema.ts', async () => {
    const committed = await readFile(
      new URL('../../gateway/graphql/schema.graphql', import.meta.url),
      'utf8',
    );
    expect(schemaText()).toBe(committed);
  });

  it('describes every type, field, argument, enum value and input field', () => {
    const parts = [...describedParts()];
    expect(parts.length).toBeGreaterThan(300);
    expect(parts.filter(([, description]) => !description?.trim()).map(([name]) => name)).toEqual([]);
  });

  it('says of every root field which scope it needs', () => {
    expect(rootFields.filter((field) => SCOPES_BY_FIELD[field] === undefined)).toEqual([]);
  });

  it('has every field and type that the table of scopes names', () => {
    const known = new Set([...describedParts()].map(([name]) => name));
    const named = [...Object.keys(SCOPES_BY_FIELD), ...Object.keys(SCOPES_BY_NODE_TYPE)];
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('has a scope for every type that can be asked for by id', () => {
    const nodes = schema.getPossibleTypes(
      schema.getType('Node') as Parameters<typeof schema.getPossibleTypes>[0],
    );
    expect(nodes.map(({ name }) => name).sort()).toEqual(Object.keys(SCOPES_BY_NODE_TYPE).sort());
  });

  it('names in the description of each root field the scopes that its table demands', () => {
    const silent = rootFields.filter((coordinate) => {
      const needed = SCOPES_BY_FIELD[coordinate];
      const description = Object.fromEntries(describedParts())[coordinate] ?? '';
      return Array.isArray(needed) && needed.some((scope) => !description.includes(`\`${scope}\``));
    });
    expect(silent).toEqual([]);
  });
});
