import type { DeliveryRow, ShownStatus } from '../../store/store-reader.ts';
import { builder } from '../builder.ts';
import { deliveryWhere } from '../filters.ts';
import { followDeliveries } from '../live-feed.ts';
import { readConnection } from '../paging.ts';
import { AttemptObject } from './attempt.ts';
import { EndpointObject } from './endpoint.ts';
import { EventObject } from './event.ts';
import { Node } from './node.ts';

const DeliveryStatusEnum = builder.enumType('DeliveryStatus', {
  description: 'Where a delivery stands.',
  values: {
    PENDING: { description: 'It waits for its first attempt.' },
    SENDING: { description: 'An attempt is under way.' },
    RETRYING: { description: 'An attempt failed; the next one has its time.' },
    HELD: {
      description: 'It waits: the endpoint is off or paused, its key waits, or its filter raised an error.',
    },
    SUCCEEDED: { description: 'The receiver took it.' },
    FAILED: {
      description: 'The first five attempts, or all of a shorter schedule, failed; daily ones go on.',
    },
    EXHAUSTED: { description: 'The schedule is used up.' },
    REJECTED: { description: 'No further attempt can help.' },
    EXPIRED: { description: 'Its time to live passed.' },
    SUPERSEDED: { description: 'A newer one took its place.' },
    CANCELLED: { description: 'Somebody called it off.' },
  } satisfies Record<ShownStatus, { description: string }>,
});

/** One event on its way to one endpoint. */
export const DeliveryObject = builder.objectRef<DeliveryRow>('Delivery').implement({
  description: 'One event on its way to one endpoint.',
  interfaces: [Node],
  fields: (t) => ({
    event: t.field({
      type: EventObject,
      nullable: true,
      description: 'What is delivered; null where it is not kept any more. Needs `events:read`.',
      resolve: ({ eventId }, _args, { loaders }) => loaders.event(eventId),
    }),
    endpoint: t.field({
      type: EndpointObject,
      description: 'Where it goes.',
      resolve: ({ id, endpointId }, _args, { services }) => {
        const endpoint = services.endpoints.find(endpointId);
        if (endpoint === null)
          throw new Error(`delivery ${id} goes to the endpoint ${endpointId}, which there never was`);
        return endpoint;
      },
    }),
    status: t.expose('status', { type: DeliveryStatusEnum, description: 'Where it stands.' }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'A stable code of why it stands there.',
    }),
    attempts: t.field({
      type: [AttemptObject],
      description: 'What was tried, oldest first.',
      resolve: async (delivery, _args, { loaders }) =>
        (await loaders.attempts(delivery.id)).map((attempt) => ({ attempt, delivery })),
    }),
    attemptCount: t.exposeInt('attemptCount', { description: 'How often it was tried.' }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried next; null where nothing further happens by itself.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was queued.' }),
    completedAt: t.expose('completedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was over; null while it is not.',
    }),
    test: t.exposeBoolean('test', { description: 'Its event is a test.' }),
    generation: t.exposeInt('generation', {
      description: '0 at first; each retry by hand begins a new one.',
    }),
  }),
});

const DeliveryEdge = builder.edgeObject({
  name: 'DeliveryEdge',
  description: 'A delivery and its place in the journal.',
  type: DeliveryObject,
});

const DeliveryConnection = builder.connectionObject(
  { name: 'DeliveryConnection', description: 'A page of deliveries, newest first.', type: DeliveryObject },
  DeliveryEdge,
);

const DeliveryFilter = builder.inputType('DeliveryFilter', {
  description: 'Which deliveries. What is left out, null or empty does not restrict.',
  fields: (t) => ({
    endpoints: t.idList({ description: 'To these endpoints.' }),
    events: t.idList({ description: 'Of these events.' }),
    types: t.stringList({ description: 'Of events of these types: exact names or families; `*` means all.' }),
    statuses: t.field({ type: [DeliveryStatusEnum], description: 'That stand here.' }),
    since: t.field({ type: 'DateTime', description: 'Queued then or later.' }),
    until: t.field({ type: 'DateTime', description: 'Queued before.' }),
    test: t.boolean({ description: 'Only those of test events, or only those of real ones.' }),
  }),
});

builder.objectField(EventObject, 'deliveries', (t) =>
  t.field({
    type: DeliveryConnection,
    description: 'Where it goes, newest first. Needs `webhooks:read`.',
    args: t.arg.connectionArgs(),
    resolve: ({ id }, page, { services }) => {
      const { reader } = services.store;
      return readConnection((query) => reader.deliveries(query), { eventIds: [id] }, page);
    },
  }),
);

builder.queryField('delivery', (t) =>
  t.field({
    type: DeliveryObject,
    nullable: true,
    description: 'One delivery; null where there is none. Needs `webhooks:read`.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    resolve: (_root, { id }, { loaders }) => loaders.delivery(id),
  }),
);

builder.queryField('deliveries', (t) =>
  t.field({
    type: DeliveryConnection,
    description: 'Deliveries, newest first. Needs `webhooks:read`.',
    args: {
      ...t.arg.connectionArgs(),
      filter: t.arg({ type: DeliveryFilter, description: 'Which deliveries; all without it.' }),
    },
    resolve: (_root, { filter, ...page }, { services }) => {
      const { reader } = services.store;
      return readConnection((query) => reader.deliveries(query), deliveryWhere(filter), page);
    },
  }),
);

builder.subscriptionField('deliveries', (t) =>
  t.field({
    type: DeliveryEdge,
    description: 'An edge each time a delivery changes, shown as it was right then. Needs `webhooks:read`.',
    args: {
      filter: t.arg({ type: DeliveryFilter, description: 'Which deliveries; all without it.' }),
      after: t.arg.string({ description: 'The last cursor seen; without it from now on.' }),
    },
    subscribe: (_root, { filter, after }, { services, signal }) =>
      followDeliveries(services.store, deliveryWhere(filter), { after: after ?? null, stop: signal }),
    resolve: (edge) => edge,
  }),
);
