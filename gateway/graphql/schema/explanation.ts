import type { DeliveryExplanation } from '../../services.ts';
import { builder } from '../builder.ts';
import { DeliveryObject } from './delivery.ts';

const ExplanationCodeEnum = builder.enumType('DeliveryExplanationCode', {
  description: 'Why an event has, or has not, reached an endpoint.',
  values: {
    DELIVERED: { description: 'It has.' },
    TYPE_DOES_NOT_MATCH: { description: 'The endpoint does not subscribe to its type.' },
    MACHINE_DOES_NOT_MATCH: { description: 'The endpoint does not take events of its machine.' },
    FILTER_IS_FALSE: { description: 'The filter of the endpoint is not true for it.' },
    FILTER_FAILED: { description: 'An expression of the endpoint raised an error on it.' },
    TEST_NOT_WANTED: { description: 'It is a test, and the endpoint does not take those.' },
    ENDPOINT_WAS_OFF: { description: 'The endpoint was off, or did not subscribe to it, when it came.' },
    ENDPOINT_IS_NEWER: { description: 'The endpoint was made after it came.' },
    ENDPOINT_DELETED: { description: 'The endpoint is deleted.' },
    HELD_PAUSED: { description: 'The endpoint is paused.' },
    HELD_OFF: { description: 'The endpoint is switched off.' },
    WAITS_FOR_KEY: { description: 'An earlier delivery of the same key comes first.' },
    CIRCUIT_OPEN: { description: 'The receiver failed too often in a row, and gets probes only.' },
    RESTING: { description: 'The receiver asked for rest.' },
    RATE_LIMITED: { description: 'The rate limit of the endpoint is reached.' },
    CONCURRENCY_FULL: { description: 'As many deliveries to the endpoint as may be are under way.' },
    NOT_DUE_YET: { description: 'Its time has not come.' },
    SENDING: { description: 'An attempt is under way.' },
    DUE: { description: 'It is due, and goes when its turn comes.' },
    OVER: { description: 'It is over without success.' },
  } satisfies Record<DeliveryExplanation['code'], { description: string }>,
});

const ClauseNameEnum = builder.enumType('SubscriptionClauseName', {
  description: 'A clause of a subscription.',
  values: {
    ACTIVE: { value: 'active', description: 'Whether the endpoint is switched on.' },
    TYPES: { value: 'types', description: 'The event types it subscribes to.' },
    MACHINES: { value: 'machines', description: 'The machines, and groups of them, that it takes.' },
    TEST: { value: 'test', description: 'Whether it takes test events.' },
    FILTER: { value: 'filter', description: 'Its filter expression.' },
  } as const,
});

const SubscriptionClause = builder
  .objectRef<DeliveryExplanation['clauses'][number]>('SubscriptionClause')
  .implement({
    description: 'A clause of a subscription as it is now, and what it says about an event.',
    fields: (t) => ({
      clause: t.expose('clause', { type: ClauseNameEnum, description: 'Which one.' }),
      matched: t.exposeBoolean('matched', { description: 'Whether it lets the event through.' }),
      detail: t.exposeString('detail', { description: 'Why, in words.' }),
    }),
  });

const NextAttempt = builder
  .objectRef<NonNullable<DeliveryExplanation['nextAttempt']>>('NextAttempt')
  .implement({
    description: 'The attempt that comes next.',
    fields: (t) => ({
      number: t.exposeInt('number', { description: 'Its number, from 1, over all generations.' }),
      at: t.expose('at', { type: 'DateTime', description: 'When it may be made at the earliest.' }),
    }),
  });

const DeliveryExplanationObject = builder.objectRef<DeliveryExplanation>('DeliveryExplanation').implement({
  description: 'Why an event has, or has not, reached an endpoint, and what happens next.',
  fields: (t) => ({
    eventId: t.exposeID('eventId', { description: 'The event.' }),
    endpointId: t.exposeID('endpointId', { description: 'The endpoint.' }),
    code: t.expose('code', { type: ExplanationCodeEnum, description: 'The reason, for programs.' }),
    sentence: t.exposeString('sentence', { description: 'The reason, for people; moments in UTC.' }),
    delivery: t.expose('delivery', {
      type: DeliveryObject,
      nullable: true,
      description: 'The delivery; null where none was made.',
    }),
    clauses: t.expose('clauses', {
      type: [SubscriptionClause],
      description: 'Each clause of the subscription, in the order in which they are asked.',
    }),
    waitsFor: t.field({
      type: DeliveryObject,
      nullable: true,
      description: 'The delivery of the same key that comes first; null where it waits for none.',
      resolve: ({ waitsForDeliveryId }, _args, { loaders }) =>
        waitsForDeliveryId === null ? null : loaders.delivery(waitsForDeliveryId),
    }),
    waitsForDeliveryId: t.exposeID('waitsForDeliveryId', {
      nullable: true,
      description: 'Its id; null where it waits for none.',
    }),
    orderKey: t.exposeString('orderKey', {
      nullable: true,
      description: 'The key within which the endpoint gets deliveries in order; null for unordered.',
    }),
    nextAttempt: t.expose('nextAttempt', {
      type: NextAttempt,
      nullable: true,
      description: 'The attempt that comes next; null where none does by itself.',
    }),
  }),
});

builder.queryField('explainDelivery', (t) =>
  t.field({
    type: DeliveryExplanationObject,
    description: 'Why an event has, or has not, reached an endpoint. Needs `webhooks:read`.',
    args: {
      eventId: t.arg.id({ required: true, description: 'The event.' }),
      endpointId: t.arg.id({ required: true, description: 'The endpoint.' }),
    },
    resolve: (_root, { eventId, endpointId }, { services }) =>
      services.explanations.explain(eventId, endpointId),
  }),
);
