import type { Endpoint, EndpointKind } from '../../services.ts';
import { builder } from '../builder.ts';
import { pageList } from '../list-paging.ts';
import { visibleHeaders, visibleUrl } from '../secret-masking.ts';
import { EndpointStateObject, loadEndpointState } from './endpoint-state.ts';
import { Node } from './node.ts';

/** What kind of place an endpoint is. */
export const EndpointKindEnum = builder.enumType('EndpointKind', {
  description: 'What kind of place an endpoint is.',
  values: {
    WEBHOOK: { description: 'A URL that gets signed webhooks.' },
    FLOW: { description: 'A flow in a Node-RED: its deliveries are leased over `work` and settled.' },
    SLACK: { description: 'A Slack workspace or webhook.' },
    MAINTAINX: { description: 'A MaintainX organisation.' },
    INSPECTOR: { description: 'The built-in request inspector.' },
  } satisfies Record<EndpointKind, { description: string }>,
});

/** Which answers count as success. */
export const SuccessStatusEnum = builder.enumType('SuccessStatus', {
  description: 'Which answers of a receiver count as success.',
  values: {
    ANY_2XX: { description: 'Any 2xx.' },
    EXACTLY_200: { description: '200 and nothing else.' },
  } satisfies Record<Endpoint['successStatus'], { description: string }>,
});

/** What a key of an ordered endpoint does while its head has failed. */
export const OnFailedEnum = builder.enumType('OnFailed', {
  description: 'What a key does while the delivery at its head has FAILED and is tried once a day.',
  values: {
    WAIT: { description: 'It waits: order was asked for.' },
    SKIP: { description: 'It goes on with the next one.' },
  } satisfies Record<Endpoint['onFailed'], { description: string }>,
});

const EndpointHeader = builder.objectRef<Endpoint['headers'][number]>('EndpointHeader').implement({
  description: 'A header that is sent along.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
    value: t.exposeString('value', {
      description: 'Its value; a secret one is masked without `webhooks:write`.',
    }),
    secret: t.exposeBoolean('secret', { description: 'Whether its value is a secret.' }),
  }),
});

const FlowDeclaration = builder.objectRef<{ owner: string; key: string }>('FlowDeclaration').implement({
  description: 'Which Node-RED declared an endpoint.',
  fields: (t) => ({
    owner: t.exposeString('owner', { description: 'The Node-RED.' }),
    key: t.exposeString('key', { description: 'The node.' }),
  }),
});

/** Any place we deliver to. */
export const EndpointObject = builder.objectRef<Endpoint>('Endpoint').implement({
  description: 'Any place events are delivered to.',
  interfaces: [Node],
  fields: (t) => ({
    kind: t.expose('kind', { type: EndpointKindEnum, description: 'What kind of place it is.' }),
    url: t.string({
      description: 'Where it goes. A URL that is itself a secret is masked without `webhooks:write`.',
      resolve: (endpoint, _args, { principal }) => visibleUrl(endpoint, principal),
    }),
    urlIsSecret: t.exposeBoolean('urlIsSecret', { description: 'Whether the URL is itself a secret.' }),
    description: t.exposeString('description', {
      description: 'What it is for, in the words of who made it.',
    }),
    events: t.exposeStringList('events', {
      description: 'Exact names, families like `work_order.*`, or `*`.',
    }),
    active: t.exposeBoolean('active', {
      description: 'Off: nothing new is queued, and what was queued is held.',
    }),
    paused: t.exposeBoolean('paused', {
      description: 'Paused: new deliveries are made and held until it goes on.',
    }),
    headers: t.field({
      type: [EndpointHeader],
      description: 'Headers that are sent along.',
      resolve: (endpoint, _args, { principal }) => visibleHeaders(endpoint, principal),
    }),
    machines: t.exposeStringList('machines', { description: 'Only events of these machines; empty: all.' }),
    machineGroups: t.exposeStringList('machineGroups', {
      description: 'Only events of these groups; empty: all.',
    }),
    delaySeconds: t.exposeFloat('delaySeconds', {
      description: 'How long to wait before the first attempt.',
    }),
    retrySchedule: t.exposeStringList('retrySchedule', {
      nullable: true,
      description: "Pauses between attempts, like `5s`; null: the installation's.",
    }),
    timeoutSeconds: t.exposeFloat('timeoutSeconds', { description: 'How long to wait for an answer.' }),
    maxConcurrency: t.exposeInt('maxConcurrency', {
      description: 'Deliveries under way at a time, at most.',
    }),
    successStatus: t.expose('successStatus', {
      type: SuccessStatusEnum,
      description: 'Which answers are success.',
    }),
    legacySignature: t.exposeBoolean('legacySignature', {
      description: 'Whether `x-mes-signature` is sent too.',
    }),
    includeTest: t.exposeBoolean('includeTest', {
      description: 'FLOW: whether it takes published test events.',
    }),
    filter: t.exposeString('filter', {
      nullable: true,
      description:
        'JSONata over the event, true to deliver; null: everything that the types and machines let through.',
    }),
    payload: t.exposeString('payload', {
      nullable: true,
      description: "JSONata over the event that gives the body's data; null: the event's own.",
    }),
    orderBy: t.exposeString('orderBy', {
      nullable: true,
      description: 'JSONata over the event that gives the FIFO key; null: unordered.',
    }),
    onFailed: t.expose('onFailed', {
      type: OnFailedEnum,
      description: 'With `orderBy`: what a key does while its head has FAILED.',
    }),
    newestOnly: t.exposeBoolean('newestOnly', {
      description: 'With `orderBy`: only the newest of a key matters, it takes the place of what waits.',
    }),
    rateLimitPerSecond: t.exposeFloat('rateLimitPerSecond', {
      nullable: true,
      description: 'Deliveries a second at most; null: no limit.',
    }),
    timeToLiveSeconds: t.exposeFloat('timeToLiveSeconds', {
      nullable: true,
      description: 'What is not delivered this long after it was queued is EXPIRED; null: never.',
    }),
    publicKey: t.exposeString('publicKey', {
      nullable: true,
      description: 'The ed25519 key that verifies its `v1a` signatures, `whpk_…`; null: it makes none.',
    }),
    disabledReason: t.exposeString('disabledReason', {
      nullable: true,
      description: 'Why the gateway switched it off; null: a person did, or nobody.',
    }),
    state: t.field({
      type: EndpointStateObject,
      description: 'How fast it may be delivered to right now, and why.',
      resolve: ({ id }, _args, context) => loadEndpointState(id, context),
    }),
    declaredBy: t.expose('declaredBy', {
      type: FlowDeclaration,
      nullable: true,
      description: 'The flow that declared it; null: a person or a program made it.',
    }),
    resultsTo: t.id({
      nullable: true,
      description: 'The FLOW endpoint that gets the final result of its deliveries; null: nobody asked.',
      resolve: ({ resultsTo }) => resultsTo,
    }),
    retiredAt: t.expose('retiredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when it is gone, its history kept; null: it is in use.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
  }),
});

const EndpointConnection = builder.connectionObject(
  { name: 'EndpointConnection', description: 'A page of endpoints, oldest first.', type: EndpointObject },
  { name: 'EndpointEdge', description: 'An endpoint and its place in the list.' },
);

const EndpointFilter = builder.inputType('EndpointFilter', {
  description: 'Which endpoints. What is left out, null or empty does not restrict.',
  fields: (t) => ({
    kinds: t.field({ type: [EndpointKindEnum], description: 'Of these kinds.' }),
    active: t.boolean({ description: 'Only those that are on, or only those that are off.' }),
    owner: t.string({ description: 'Declared by this Node-RED.' }),
  }),
});

builder.queryField('endpoint', (t) =>
  t.field({
    type: EndpointObject,
    nullable: true,
    description: 'One endpoint, a retired one too; null where there is none. Needs `webhooks:read`.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    resolve: (_root, { id }, { services }) => services.endpoints.find(id),
  }),
);

builder.queryField('endpoints', (t) =>
  t.field({
    type: EndpointConnection,
    description: 'Endpoints in use, oldest first. Needs `webhooks:read`.',
    args: {
      ...t.arg.connectionArgs(),
      filter: t.arg({ type: EndpointFilter, description: 'Which endpoints; all without it.' }),
    },
    resolve: async (_root, { filter, ...page }, { services }) => {
      const head = await services.store.head();
      const rows = services.endpoints.list().filter((endpoint) => isAskedFor(endpoint, filter ?? {}));
      return pageList(rows, { order: 'oldest', at: ({ createdAt }) => createdAt }, page, head);
    },
  }),
);

function isAskedFor(
  endpoint: Endpoint,
  { kinds, active, owner }: typeof EndpointFilter.$inferInput,
): boolean {
  return (
    (kinds == null || kinds.length === 0 || kinds.includes(endpoint.kind)) &&
    (active == null || active === endpoint.active) &&
    (owner == null || owner === endpoint.declaredBy?.owner)
  );
}
