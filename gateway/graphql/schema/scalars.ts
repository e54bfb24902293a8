import { GraphQLError, valueFromASTUntyped } from 'graphql';
import { builder } from '../builder.ts';
import { parseMoment } from '../moment.ts';

builder.scalarType('DateTime', {
  description: 'A moment in ISO 8601. Answers are in UTC with milliseconds; input needs `Z` or an offset.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time',
  serialize: (at) => new Date(at).toISOString(),
  parseValue: (value) => {
    const at = parseMoment(value);
    if (at !== null) return at;
    const shown = JSON.stringify(value).slice(0, 60);
    throw new GraphQLError(
      `${shown} is not a moment; write it in ISO 8601 with "Z" or an offset, like 2026-01-31T06:00:00Z.`,
    );
  },
});

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});
