import type { Endpoint } from '../../services.ts';
import { builder } from '../builder.ts';
import { endpointInput } from '../endpoint-input.ts';
import { EndpointObject } from './endpoint.ts';
import { CreateEndpointInput, UpdateEndpointInput } from './endpoint-input.ts';

interface EndpointWithSecret {
  endpoint: Endpoint;
  secret: string;
}

const CreateEndpointPayload = builder.objectRef<EndpointWithSecret>('CreateEndpointPayload').implement({
  description: 'The new endpoint, with what is shown only now.',
  fields: (t) => ({
    endpoint: t.expose('endpoint', { type: EndpointObject, description: 'The endpoint.' }),
    secret: t.exposeString('secret', { description: 'Its signing secret. Keep it: it is not shown again.' }),
  }),
});

const RotateSecretPayload = builder.objectRef<EndpointWithSecret>('RotateSecretPayload').implement({
  description: 'The endpoint, with the new secret that is shown only now.',
  fields: (t) => ({
    endpoint: t.expose('endpoint', { type: EndpointObject, description: 'The endpoint.' }),
    secret: t.exposeString('secret', {
      description: 'Its new signing secret. Keep it: it is not shown again.',
    }),
  }),
});

builder.mutationField('createEndpoint', (t) =>
  t.field({
    type: CreateEndpointPayload,
    description:
      'Makes an endpoint. An address that may not be reached is refused with the remedy. Needs `webhooks:write`.',
    args: { input: t.arg({ type: CreateEndpointInput, required: true, description: 'The endpoint.' }) },
    resolve: (_root, { input }, { services }) => services.endpoints.create(endpointInput(input)),
  }),
);

builder.mutationField('updateEndpoint', (t) =>
  t.field({
    type: EndpointObject,
    description: 'Changes an endpoint; what is left out stays. Needs `webhooks:write`.',
    args: {
      id: t.arg.id({ required: true, description: 'Its id.' }),
      input: t.arg({ type: UpdateEndpointInput, required: true, description: 'What changes.' }),
    },
    resolve: (_root, { id, input }, { services }) => services.endpoints.update(id, endpointInput(input)),
  }),
);

builder.mutationField('deleteEndpoint', (t) =>
  t.boolean({
    description:
      'Retires an endpoint: nothing is sent any more, its history stays. False where it was gone already. Needs `webhooks:write`.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    resolve: (_root, { id }, { services }) => services.endpoints.remove(id),
  }),
);

builder.mutationField('rotateEndpointSecret', (t) =>
  t.field({
    type: RotateSecretPayload,
    description:
      'Gives an endpoint a new signing secret; the old one goes on signing beside it for a while. An ed25519 key stays as it is. Needs `webhooks:write`.',
    args: {
      id: t.arg.id({ required: true, description: 'Its id.' }),
      overlapSeconds: t.arg.int({
        description: 'How long the old secret goes on signing; a day where left out.',
      }),
    },
    resolve: (_root, { id, overlapSeconds }, { services }) =>
      services.endpoints.rotateSecret(id, overlapSeconds ?? undefined),
  }),
);
