import type { ApiKey, Scope } from '../../services.ts';
import { builder } from '../builder.ts';
import { Node } from './node.ts';

const KeyObject = builder.objectRef<ApiKey>('Key').implement({
  description: 'A key for the API. Its secret is shown when it is made, and never again.',
  interfaces: [Node],
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What it is for.' }),
    scopes: t.exposeStringList('scopes', { description: 'What it may do.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends; null: never.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to the minute; null: never.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null: it is valid.',
    }),
  }),
});

const CreateKeyPayload = builder.objectRef<{ key: ApiKey; secret: string }>('CreateKeyPayload').implement({
  description: 'The new key, with what is shown only now.',
  fields: (t) => ({
    key: t.expose('key', { type: KeyObject, description: 'The key.' }),
    secret: t.exposeString('secret', {
      description: 'What to send as `Authorization: Bearer`. It is not shown again.',
    }),
  }),
});

const CreateKeyInput = builder.inputType('CreateKeyInput', {
  description: 'A new key.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What it is for; at most 100 characters.' }),
    scopes: t.stringList({
      required: true,
      description: 'What it may do, like `events:read`; at least one.',
    }),
    expiresAt: t.field({ type: 'DateTime', description: 'When it ends; never where left out.' }),
  }),
});

builder.queryField('keys', (t) =>
  t.field({
    type: [KeyObject],
    description: 'All keys, revoked ones too. Needs `admin`.',
    resolve: (_root, _args, { services }) => services.keys.list(),
  }),
);

builder.mutationField('createKey', (t) =>
  t.field({
    type: CreateKeyPayload,
    description: 'Makes a key. Needs `admin`.',
    args: { input: t.arg({ type: CreateKeyInput, required: true, description: 'The key.' }) },
    resolve: (_root, { input: { name, scopes, expiresAt } }, { services }) =>
      // The service knows the scopes, and names an unknown one.
      services.keys.create({ name, scopes: scopes as Scope[], expiresAt: expiresAt ?? null }),
  }),
);

builder.mutationField('revokeKey', (t) =>
  t.field({
    type: KeyObject,
    description: 'Ends a key at once. Needs `admin`.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    resolve: (_root, { id }, { services }) => services.keys.revoke(id),
  }),
);
