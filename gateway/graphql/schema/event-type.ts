import { eventTypes } from '../../events/catalog.ts';
import type { EventType } from '../../events/event-type.ts';
import { builder } from '../builder.ts';

const EventTypeType = builder.objectRef<EventType>('EventType').implement({
  description: 'An entry of the catalogue. Events of other types are accepted and delivered all the same.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name as events carry it, like `work_order.created`.' }),
    description: t.exposeString('description', { description: 'When it happens and what it says.' }),
    schema: t.expose('schema', {
      type: 'JSON',
      description: 'JSON Schema (draft 2020-12) of `data`. It demands only what every known sample has.',
    }),
    example: t.expose('example', { type: 'JSON', description: 'A whole event as subscribers receive it.' }),
    deprecated: t.exposeBoolean('deprecated', {
      description: 'Whether new subscriptions should leave it alone.',
    }),
  }),
});

builder.queryField('eventTypes', (t) =>
  t.field({
    type: [EventTypeType],
    description: 'The catalogue. Any key may read it.',
    resolve: () => eventTypes,
  }),
);
