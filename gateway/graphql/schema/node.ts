import { builder } from '../builder.ts';
import type { GraphqlContext } from '../context.ts';
import { badInput } from '../../errors.ts';
import { LARGEST_PAGE } from '../paging.ts';

/** Whatever has an id of its own. The ids are the public ones, so that what a log or a webhook names can be asked for. */
export const Node = builder.interfaceRef<{ id: string }>('Node').implement({
  description: 'Anything that can be asked for by its id.',
  resolveType: ({ id }) => KINDS.find(({ prefix }) => id.startsWith(prefix))?.typeName ?? 'Event',
  fields: (t) => ({
    id: t.exposeID('id', {
      description:
        'Its public id: `ep_` an endpoint, `dlv_` a delivery, `src_` a source, `key_` a key, any other an event.',
    }),
  }),
});

type Loaded = { id: string } | null | Promise<{ id: string } | null>;

const KINDS: readonly {
  prefix: string;
  typeName: string;
  load(id: string, context: GraphqlContext): Loaded;
}[] = [
  { prefix: 'ep_', typeName: 'Endpoint', load: (id, { services }) => services.endpoints.find(id) },
  { prefix: 'dlv_', typeName: 'Delivery', load: (id, { loaders }) => loaders.delivery(id) },
  { prefix: 'src_', typeName: 'Source', load: (id, { services }) => services.sources.find(id) },
  {
    prefix: 'key_',
    typeName: 'Key',
    load: (id, { services }) => services.keys.list().find((key) => key.id === id) ?? null,
  },
];

function loadNode(id: string, context: GraphqlContext): Loaded {
  const kind = KINDS.find(({ prefix }) => id.startsWith(prefix));
  return kind === undefined ? context.loaders.event(id) : kind.load(id, context);
}

builder.queryField('node', (t) =>
  t.field({
    type: Node,
    nullable: true,
    description: 'One thing by its id; null where there is none. Its fields need the scope of its type.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    resolve: (_root, { id }, context) => loadNode(id, context),
  }),
);

builder.queryField('nodes', (t) =>
  t.field({
    type: [Node],
    nullable: { list: false, items: true },
    description: 'Several things by their ids, in the order asked; null where there is none.',
    args: { ids: t.arg.idList({ required: true, description: `Their ids, at most ${LARGEST_PAGE}.` }) },
    resolve: (_root, { ids }, context) => {
      if (ids.length > LARGEST_PAGE) {
        throw badInput('ids', `${ids.length} ids are too many at a time; ask for at most ${LARGEST_PAGE}.`);
      }
      return Promise.all(ids.map(async (id) => loadNode(id, context)));
    },
  }),
);
