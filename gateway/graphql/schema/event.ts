import { findEventType } from '../../events/catalog.ts';
import { eventData } from '../../events/event.ts';
import type { Event, MachineRef } from '../../events/event.ts';
import { schemaErrors } from '../../events/validate.ts';
import { builder } from '../builder.ts';
import { eventWhere } from '../filters.ts';
import { followEvents } from '../live-feed.ts';
import { readConnection } from '../paging.ts';
import { EventFilter } from './event-filter.ts';
import { Node } from './node.ts';
import { SourceType } from './source.ts';

const MachineRefType = builder.objectRef<MachineRef>('MachineRef').implement({
  description: 'The machine an event happened at, in the words of its sender.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its id at the sender.' }),
    name: t.string({ nullable: true, description: 'Its name.', resolve: ({ name }) => name }),
    group: t.string({
      nullable: true,
      description: 'The group or line it belongs to.',
      resolve: ({ group }) => group,
    }),
  }),
});

/** What happened. */
export const EventObject = builder.objectRef<Event>('Event').implement({
  description: 'Something that happened, as it was accepted. It never changes.',
  interfaces: [Node],
  fields: (t) => ({
    type: t.exposeString('type', {
      description: "What happened, in the sender's spelling, like `work_order.created`.",
    }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', description: 'When it happened, by the sender.' }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime', description: 'When it was accepted.' }),
    source: t.field({
      type: SourceType,
      nullable: true,
      description: 'What it came through; null for one that was published over the API.',
      resolve: ({ source }, _args, { services }) => (source === null ? null : services.sources.find(source)),
    }),
    data: t.field({
      type: 'JSON',
      description:
        'What it says, as subscribers receive it; `{}` where the sender said null. Needs `events:read`.',
      resolve: (event) => eventData(event) ?? {},
    }),
    raw: t.string({
      nullable: true,
      description: 'What was received, byte for byte, as UTF-8 text. Needs `events:read`.',
      resolve: ({ raw, body }) => (raw === null ? body : new TextDecoder().decode(raw)),
    }),
    test: t.exposeBoolean('test', {
      description: 'A test: triggers and connectors leave it alone unless asked.',
    }),
    catalogued: t.boolean({
      description: 'Whether the catalogue knows its type.',
      resolve: ({ type }) => findEventType(type) !== undefined,
    }),
    schemaErrors: t.stringList({
      description:
        'How its data differs from what the catalogue describes; at most ten, none where it does not.',
      resolve: (event) => schemaErrors(event.type, eventData(event)),
    }),
    machine: t.field({
      type: MachineRefType,
      nullable: true,
      description: 'Where it happened, when the sender says so. Needs `events:read`.',
      resolve: ({ machine }) => machine,
    }),
    hops: t.exposeInt('hops', {
      description: 'How many times it went through Hookline already; at 5 it is refused, which ends loops.',
    }),
    verifiedLeniently: t.exposeBoolean('verifiedLeniently', {
      description: 'Its signature was right only over the re-written JSON (`lenientJson` of the source).',
    }),
  }),
});

const EventEdge = builder.edgeObject({
  name: 'EventEdge',
  description: 'An event and its place in the journal.',
  type: EventObject,
});

const EventConnection = builder.connectionObject(
  { name: 'EventConnection', description: 'A page of events, newest first.', type: EventObject },
  EventEdge,
);

builder.queryField('event', (t) =>
  t.field({
    type: EventObject,
    nullable: true,
    description: 'One event; null where there is none with this id. Needs `events:read`.',
    args: { id: t.arg.id({ required: true, description: 'Its id, as `webhook-id` names it.' }) },
    resolve: (_root, { id }, { loaders }) => loaders.event(id),
  }),
);

builder.queryField('events', (t) =>
  t.field({
    type: EventConnection,
    description: 'Events, newest first. Needs `events:read`.',
    args: {
      ...t.arg.connectionArgs(),
      filter: t.arg({ type: EventFilter, description: 'Which events; all without it.' }),
    },
    resolve: (_root, { filter, ...page }, { services }) => {
      const { reader } = services.store;
      return readConnection((query) => reader.events(query), eventWhere(filter, services.sources), page);
    },
  }),
);

builder.subscriptionField('events', (t) =>
  t.field({
    type: EventEdge,
    description: 'Events as they are accepted. Needs `events:read`.',
    args: {
      filter: t.arg({ type: EventFilter, description: 'Which events; all without it.' }),
      after: t.arg.string({ description: 'The last cursor seen; without it from now on.' }),
    },
    subscribe: (_root, { filter, after }, { services, signal }) =>
      followEvents(services.store, eventWhere(filter, services.sources), {
        after: after ?? null,
        stop: signal,
      }),
    resolve: (edge) => edge,
  }),
);

const PublishEventInput = builder.inputType('PublishEventInput', {
  description: 'An event to publish.',
  fields: (t) => ({
    id: t.id({ description: 'Its id; the same id again is the same event. Made up where left out.' }),
    type: t.string({ required: true, description: 'What happened; any name, best one of the catalogue.' }),
    timestamp: t.field({ type: 'DateTime', description: 'When it happened; now where left out.' }),
    data: t.field({ type: 'JSON', required: true, description: 'What it says.' }),
    test: t.boolean({ description: 'Marks it as a test; false where left out.' }),
    hops: t.int({
      description: 'The hops of the event it follows from, so that loops end; 0 where left out.',
    }),
  }),
});

builder.mutationField('publishEvent', (t) =>
  t.field({
    type: EventObject,
    description:
      'Accepts an event and delivers it to whoever subscribes. An id that is known gives the stored event. ' +
      'Needs `events:publish`.',
    args: { input: t.arg({ type: PublishEventInput, required: true, description: 'The event.' }) },
    resolve: (_root, { input }, { services }) => {
      const { id, type, timestamp, data, test, hops } = input;
      return services.events.publish({
        type,
        data,
        ...(id == null ? {} : { id }),
        ...(timestamp == null ? {} : { occurredAt: timestamp }),
        ...(test == null ? {} : { test }),
        ...(hops == null ? {} : { hops }),
      });
    },
  }),
);
