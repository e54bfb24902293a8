import { builder } from '../builder.ts';
import { DeliveryObject } from './delivery.ts';

const SendToEndpointInput = builder.inputType('SendToEndpointInput', {
  description: 'One message to one endpoint.',
  fields: (t) => ({
    endpointId: t.id({ required: true, description: 'Where to.' }),
    payload: t.field({
      type: 'JSON',
      required: true,
      description: 'What to send, as the data of the message.',
    }),
    eventId: t.id({ description: 'The event it is about: its type is the type of the message.' }),
    runId: t.id({ description: 'The run of a workflow it belongs to.' }),
    idempotencyKey: t.string({ required: true, description: 'The same key again is the same delivery.' }),
    context: t.field({ type: 'JSON', description: 'Comes back with the result; at most 64 KiB.' }),
  }),
});

builder.mutationField('sendTestEvent', (t) =>
  t.field({
    type: DeliveryObject,
    description:
      "A type's catalogued example, marked as a test, to one endpoint alone. Needs `webhooks:write` or `flow`.",
    args: {
      endpointId: t.arg.id({ required: true, description: 'Where to.' }),
      eventType: t.arg.string({ required: true, description: 'A type of the catalogue.' }),
    },
    resolve: (_root, { endpointId, eventType }, { services }) =>
      services.deliveries.sendTest(endpointId, eventType),
  }),
);

builder.mutationField('sendToEndpoint', (t) =>
  t.field({
    type: DeliveryObject,
    description: 'One message to one endpoint, outside any subscription. Needs `webhooks:write` or `flow`.',
    args: { input: t.arg({ type: SendToEndpointInput, required: true, description: 'The message.' }) },
    resolve: (_root, { input }, { services }) => {
      const { endpointId, payload, eventId, runId, idempotencyKey, context } = input;
      return services.deliveries.sendTo({
        endpointId,
        payload,
        idempotencyKey,
        ...(eventId == null ? {} : { eventId }),
        ...(runId == null ? {} : { runId }),
        ...(context == null ? {} : { context }),
      });
    },
  }),
);

builder.mutationField('retryDelivery', (t) =>
  t.field({
    type: DeliveryObject,
    description: 'Makes a delivery due now, its schedule begun anew. Needs `webhooks:write`.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    resolve: (_root, { id }, { services }) => services.deliveries.retry(id),
  }),
);

builder.mutationField('cancelDelivery', (t) =>
  t.field({
    type: DeliveryObject,
    description: 'Calls a delivery off. Needs `webhooks:write`.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    resolve: (_root, { id }, { services }) => services.deliveries.cancel(id),
  }),
);
