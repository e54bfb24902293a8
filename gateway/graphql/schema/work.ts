import { badInput, HooklineError } from '../../errors.ts';
import type { SettleItem, WorkLease } from '../../services.ts';
import { builder } from '../builder.ts';
import { streamItems } from '../item-stream.ts';
import { DeliveryObject } from './delivery.ts';
import { EventObject } from './event.ts';

const USUAL_PREFETCH = 8;
const LARGEST_PREFETCH = 64;

const WorkItem = builder.objectRef<WorkLease>('WorkItem').implement({
  description: 'A delivery of a flow, leased to this consumer until it is settled or the lease ends.',
  fields: (t) => ({
    deliveryId: t.exposeID('deliveryId', { description: 'The delivery to settle.' }),
    token: t.string({
      description: 'Proves the lease; give it back with `settle`.',
      resolve: ({ token }) => String(token),
    }),
    attempt: t.int({
      description: 'The number of this attempt, from 1.',
      resolve: ({ attemptNumber }) => attemptNumber,
    }),
    leaseExpiresAt: t.field({
      type: 'DateTime',
      description:
        'When the lease ends unless it is renewed, which happens by itself while the subscription stands.',
      resolve: ({ expiresAt }) => expiresAt,
    }),
    event: t.expose('event', { type: EventObject, description: 'What happened; for a result, the result.' }),
    context: t.field({
      type: 'JSON',
      nullable: true,
      description: 'For a result: what `sendToEndpoint` was given.',
      resolve: ({ context }) => (context === null ? null : (JSON.parse(context) as unknown)),
    }),
  }),
});

builder.subscriptionField('work', (t) =>
  t.field({
    type: WorkItem,
    description:
      'The work of a flow, leased until it is settled. What is not settled is handed back when the subscription is ' +
      'completed, and counts as a failed attempt when the connection is lost. Needs a websocket and `flow`.',
    args: {
      consumer: t.arg.id({ required: true, description: 'The id of the FLOW endpoint whose work it is.' }),
      prefetch: t.arg.int({
        description: `How much may be leased at a time, 1 to ${LARGEST_PREFETCH}; ${USUAL_PREFETCH} where left out.`,
      }),
    },
    subscribe: (_root, { consumer, prefetch: given }, { services, socket, signal }) => {
      const prefetch = given ?? USUAL_PREFETCH;
      if (prefetch < 1 || prefetch > LARGEST_PREFETCH) {
        throw badInput(
          'prefetch',
          `A prefetch of ${prefetch} is not possible; give 1 to ${LARGEST_PREFETCH}.`,
        );
      }
      if (socket === null) {
        throw new HooklineError(
          'BAD_USER_INPUT',
          'Work is leased over a websocket (graphql-transport-ws), which can tell a goodbye from a loss; subscribe over one.',
        );
      }
      const wasLost = (): boolean => socket.wasLost();
      return streamItems(
        (ended) => services.flows.work(consumer, prefetch, { signal: ended, wasLost }),
        (lease: WorkLease) => lease,
        signal,
      );
    },
    resolve: (lease) => lease,
  }),
);

const SettleOutcomeEnum = builder.enumType('SettleOutcome', {
  description: 'What became of a piece of work.',
  values: {
    SUCCEEDED: { description: 'It is done.' },
    FAILED: { description: 'It is not; it is tried again by the schedule.' },
  } satisfies Record<SettleItem['outcome'], { description: string }>,
});

const ErrorInput = builder.inputType('ErrorInput', {
  description: 'What went wrong.',
  fields: (t) => ({
    code: t.string({ required: true, description: 'A stable code.' }),
    message: t.string({ required: true, description: 'A sentence for people.' }),
  }),
});

const SettleInput = builder.inputType('SettleInput', {
  description: 'What became of a piece of work.',
  fields: (t) => ({
    deliveryId: t.id({ required: true, description: 'The delivery.' }),
    token: t.string({ required: true, description: 'The token that came with it.' }),
    outcome: t.field({ type: SettleOutcomeEnum, required: true, description: 'What became of it.' }),
    error: t.field({ type: ErrorInput, description: 'What went wrong, for the log of attempts.' }),
  }),
});

builder.mutationField('settle', (t) =>
  t.field({
    type: [DeliveryObject],
    description: 'Reports what became of work. Needs `flow`.',
    args: { items: t.arg({ type: [SettleInput], required: true, description: 'What became of which.' }) },
    resolve: (_root, { items }, { services }) =>
      services.flows.settle(
        items.map(({ deliveryId, token, outcome, error }, place) => ({
          deliveryId,
          token: parseToken(token, `items.${place}.token`),
          outcome,
          ...(error == null ? {} : { error }),
        })),
      ),
  }),
);

function parseToken(given: string, field: string): number {
  const token = /^\d{1,16}$/.test(given) ? Number(given) : Number.NaN;
  if (!Number.isSafeInteger(token)) {
    throw badInput(field, 'This is not a token of a lease; give back the one that came with the work.');
  }
  return token;
}
