import type { InspectBin, InspectedRequest } from '../../services.ts';
import { builder } from '../builder.ts';
import { pageList } from '../list-paging.ts';

const InspectBinObject = builder.objectRef<InspectBin>('InspectBin').implement({
  description: 'A place of the built-in request inspector. Whoever knows its id may send to it.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its unguessable id.' }),
    url: t.exposeString('url', { description: 'Where to send to from outside.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
});

const SignatureCheck = builder
  .objectRef<NonNullable<InspectedRequest['signature']>>('SignatureCheck')
  .implement({
    description: 'Whether the signature of an inspected request is right.',
    fields: (t) => ({
      valid: t.exposeBoolean('valid', { description: 'Whether it is.' }),
      schemes: t.exposeStringList('schemes', { description: 'The schemes whose signatures are right.' }),
      message: t.exposeString('message', { description: 'The finding in a sentence.' }),
    }),
  });

const InspectedRequestObject = builder.objectRef<InspectedRequest>('InspectedRequest').implement({
  description: 'A request that the inspector got.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its id.' }),
    receivedAt: t.expose('at', { type: 'DateTime', description: 'When it came.' }),
    method: t.exposeString('method', { description: 'Its HTTP method.' }),
    headers: t.expose('headers', { type: 'JSON', description: 'Its headers.' }),
    body: t.exposeString('body', { description: 'Its body.' }),
    signature: t.expose('signature', {
      type: SignatureCheck,
      nullable: true,
      description:
        'Its signature, checked with the secret of the endpoint that delivers here; null where none does.',
    }),
  }),
});

const InspectConnection = builder.connectionObject(
  {
    name: 'InspectConnection',
    description: 'A page of inspected requests, newest first.',
    type: InspectedRequestObject,
  },
  { name: 'InspectEdge', description: 'An inspected request and its place in the list.' },
);

builder.queryField('inspectRequests', (t) =>
  t.field({
    type: InspectConnection,
    description:
      'What the inspector got in a bin, newest first, at most the last 200. Needs `webhooks:read`.',
    args: {
      bin: t.arg.id({ required: true, description: 'The id of the bin.' }),
      ...t.arg.connectionArgs(),
    },
    resolve: async (_root, { bin, ...page }, { services }) => {
      const head = await services.store.head();
      return pageList(services.inspector.requests(bin), { order: 'newest', at: ({ at }) => at }, page, head);
    },
  }),
);

builder.mutationField('createInspectBin', (t) =>
  t.field({
    type: InspectBinObject,
    description: 'Makes a bin of the request inspector. Needs `webhooks:write`.',
    resolve: (_root, _args, { services }) => services.inspector.createBin(),
  }),
);
