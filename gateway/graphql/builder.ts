import SchemaBuilder from '@pothos/core';
import type { InputFieldBuilder } from '@pothos/core';
import RelayPlugin from '@pothos/plugin-relay';
import type { GraphqlContext } from './context.ts';
import { LARGEST_PAGE, USUAL_PAGE } from './paging.ts';

/** What all types are declared with. Fields are never null unless they say so; input is optional unless it says so. */
export interface GraphqlSchemaTypes {
  Context: GraphqlContext;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
  Connection: { liveCursor: string };
  Scalars: {
    ID: { Input: string; Output: string };
    /** Unix milliseconds inside. */
    DateTime: { Input: number; Output: number };
    JSON: { Input: unknown; Output: unknown };
  };
}

/** What declares the fields of an input type; for fields that several types share. */
export type InputFields = InputFieldBuilder<
  PothosSchemaTypes.ExtendDefaultTypes<GraphqlSchemaTypes>,
  'InputObject'
>;

const pageSize = `${USUAL_PAGE} unless said otherwise, at most ${LARGEST_PAGE}`;

/** Collects the types; `schema.ts` makes the schema of them. */
export const builder = new SchemaBuilder<GraphqlSchemaTypes>({
  plugins: [RelayPlugin],
  defaultFieldNullability: false,
  relay: {
    clientMutationId: 'omit',
    cursorType: 'String',
    pageInfoTypeOptions: { description: 'Where a page begins and ends, and whether there is more.' },
    hasNextPageFieldOptions: { description: 'Whether more follows in the order of the list.' },
    hasPreviousPageFieldOptions: { description: 'Whether more comes before in the order of the list.' },
    startCursorFieldOptions: { description: 'The cursor of the first edge; null for an empty page.' },
    endCursorFieldOptions: { description: 'The cursor of the last edge; null for an empty page.' },
    pageInfoFieldOptions: { description: 'Where this page begins and ends, and whether there is more.' },
    edgesFieldOptions: { description: 'The rows of this page, in the order of the list.', nullable: false },
    nodeFieldOptions: { description: 'The row itself.', nullable: false },
    cursorFieldOptions: { description: 'Its place: pass it as `after` or `before` to go on from here.' },
    firstArgOptions: { description: `How many rows from the beginning or after \`after\`: ${pageSize}.` },
    afterArgOptions: { description: 'Only rows beyond this cursor.' },
    lastArgOptions: {
      description: `How many rows from the end or before \`before\`: at most ${LARGEST_PAGE}.`,
    },
    beforeArgOptions: { description: 'Only rows before this cursor.' },
  },
});

builder.queryType({ description: 'Reads. Each field names the scope it needs.' });
builder.mutationType({
  description: 'Changes. Each is durable when it answers, and each field names the scope it needs.',
});
builder.subscriptionType({
  description:
    'Streams that go on from a cursor: pass the last one seen as `after` and the rest comes, then what happens live, ' +
    'without gap or duplicate. Without `after` they begin now. A cursor that is no longer kept ends them with ' +
    'CURSOR_EXPIRED and the oldest one that is.',
});

builder.globalConnectionField('liveCursor', (t) =>
  t.exposeString('liveCursor', {
    description:
      'The moment this page shows: subscribe with it as `after`, and nothing is missed in between.',
  }),
);
