import type { Principal } from '../../services.ts';
import { builder } from '../builder.ts';

const Viewer = builder.objectRef<Principal>('Viewer').implement({
  description: 'Who asks.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the key.' }),
    keyId: t.exposeID('keyId', { description: 'The id of the key.' }),
    scopes: t.stringList({
      description: 'What the key may do. `admin` stands for everything.',
      resolve: ({ scopes }) => [...scopes],
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: Viewer,
    description: 'Who asks. Any key may.',
    resolve: (_root, _args, { principal }) => principal,
  }),
);
