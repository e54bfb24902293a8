import type { Source, SourceSignature } from '../../services.ts';
import { builder } from '../builder.ts';
import { Node } from './node.ts';

const SourceSignatureType = builder.objectRef<SourceSignature>('SourceSignature').implement({
  description: 'How a source signs what it sends.',
  fields: (t) => ({
    header: t.exposeString('header', { description: 'The header that carries the signature.' }),
    prefix: t.exposeString('prefix', {
      description: 'What stands before it in the header, like `sha256=`; may be empty.',
    }),
    encoding: t.exposeString('encoding', { description: '`hex` or `base64`.' }),
    digest: t.exposeString('digest', { description: '`sha256`, `sha384` or `sha512`, as HMAC.' }),
    template: t.exposeString('template', {
      description: 'What is signed, made of `{timestamp}`, `{id}` and `{body}`.',
    }),
  }),
});

/** Where events come in. */
export const SourceType = builder.objectRef<Source>('Source').implement({
  description: 'Where events come in, signed: `POST /webhooks/<name>`.',
  interfaces: [Node],
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The last part of its path.' }),
    dialect: t.exposeString('dialect', {
      description: 'Whose way of writing events it speaks, like `machshop`.',
    }),
    active: t.exposeBoolean('active', { description: 'Whether it takes events.' }),
    signature: t.field({
      type: SourceSignatureType,
      description: 'How it signs.',
      resolve: ({ signature }) => signature,
    }),
    lenientJson: t.exposeBoolean('lenientJson', {
      description: 'Whether a signature over the re-written JSON is accepted too; such events are marked.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'Since when it is there.' }),
  }),
});

builder.queryField('sources', (t) =>
  t.field({
    type: [SourceType],
    description: 'All sources. Needs `events:read`.',
    resolve: (_root, _args, { services }) => services.sources.list(),
  }),
);
