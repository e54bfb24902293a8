import type { AppliedEndpoint } from '../../services.ts';
import { builder } from '../builder.ts';
import { flowEndpointInput } from '../flow-endpoint-input.ts';
import { EndpointKindEnum, EndpointObject } from './endpoint.ts';
import { endpointSettings } from './endpoint-input.ts';

const FlowEndpointInputType = builder.inputType('FlowEndpointInput', {
  description: 'An endpoint that a flow declares.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'The id of the node.' }),
    kind: t.field({
      type: EndpointKindEnum,
      required: true,
      description: 'FLOW for a source of events, WEBHOOK for a sender.',
    }),
    url: t.string({ description: 'WEBHOOK: where to send to.' }),
    urlIsSecret: t.boolean({ description: 'WEBHOOK: the URL is itself a secret.' }),
    events: t.stringList({ description: 'Exact names, families like `work_order.*`, or `*`.' }),
    ...endpointSettings(t),
    results: t.boolean({
      description: 'WEBHOOK: hand final results back as work of an endpoint of their own.',
    }),
    includeTest: t.boolean({ description: 'FLOW: take test events too that are published to all.' }),
    startFrom: t.string({
      description:
        'FLOW, when it is first declared: `now`, `oldest`, or a moment in ISO 8601 to queue what is stored since.',
    }),
  }),
});

const ApplyFlowInputType = builder.inputType('ApplyFlowInput', {
  description: 'All that a Node-RED declares at a deploy.',
  fields: (t) => ({
    owner: t.string({
      required: true,
      description: 'Names the Node-RED; several with the same name share the work.',
    }),
    endpoints: t.field({
      type: [FlowEndpointInputType],
      required: true,
      description: 'All of its endpoints.',
    }),
  }),
});

const AppliedEndpointObject = builder.objectRef<AppliedEndpoint>('AppliedEndpoint').implement({
  description: 'What became of a declared endpoint.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The id of the node.' }),
    endpoint: t.expose('endpoint', { type: EndpointObject, description: 'The endpoint.' }),
    secret: t.exposeString('secret', {
      nullable: true,
      description: 'Its signing secret, only where it was made or given just now.',
    }),
    resultsEndpointId: t.id({
      nullable: true,
      description: 'The endpoint whose `work` hands results back, where asked for.',
      resolve: ({ resultsEndpointId }) => resultsEndpointId,
    }),
  }),
});

const ApplyFlowPayload = builder.objectRef<{ endpoints: AppliedEndpoint[] }>('ApplyFlowPayload').implement({
  description: 'What a deploy declared, as it stands now.',
  fields: (t) => ({
    endpoints: t.expose('endpoints', {
      type: [AppliedEndpointObject],
      description: 'One for each that was declared.',
    }),
  }),
});

builder.mutationField('applyFlow', (t) =>
  t.field({
    type: ApplyFlowPayload,
    description:
      'Makes the endpoints of a Node-RED what it declares; what vanished is retired, its history kept. Doing it again changes nothing. Needs `flow`.',
    args: { input: t.arg({ type: ApplyFlowInputType, required: true, description: 'The declaration.' }) },
    resolve: async (_root, { input: { owner, endpoints } }, { services }) => ({
      endpoints: await services.flows.apply({
        owner,
        endpoints: endpoints.map((given, place) => flowEndpointInput(given, place)),
      }),
    }),
  }),
);
