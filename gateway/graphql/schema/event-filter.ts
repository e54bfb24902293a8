import { builder } from '../builder.ts';

/** Chooses events in lists and streams. */
export const EventFilter = builder.inputType('EventFilter', {
  description: 'Which events. What is left out, null or empty does not restrict.',
  fields: (t) => ({
    types: t.stringList({ description: 'Exact names or families like `work_order.*`; `*` means all.' }),
    sources: t.stringList({ description: 'Names or ids of the sources they came through.' }),
    machines: t.stringList({ description: 'Ids of the machines they happened at.' }),
    since: t.field({ type: 'DateTime', description: 'Received then or later.' }),
    until: t.field({ type: 'DateTime', description: 'Received before.' }),
    test: t.boolean({ description: 'Only test events, or only real ones.' }),
  }),
});
