import { DURATION_FORM, parseDuration } from '../duration.ts';
import { SCOPES } from '../services.ts';
import { UsageError } from './command.ts';
import type { Command, CommandIo } from './command.ts';
import { parseFlags } from './command-flags.ts';
import { connectToGateway } from './gateway-connection.ts';

const USAGE = `hookline keys create --name NAME --scope SCOPE [--scope SCOPE ...] [--expires DURATION]
hookline keys list
hookline keys revoke ID

Makes, lists and revokes the keys of the API. A new key's secret is shown this once.

  --name NAME         what the key is for
  --scope SCOPE       what it may do; several times, or several with commas:
                      ${SCOPES.slice(0, 5).join(', ')},
                      ${SCOPES.slice(5).join(', ')}
  --expires DURATION  how long it is valid, ${DURATION_FORM};
                      without it, until it is revoked
  --url URL           another gateway than the one on the data directory; its key is HOOKLINE_ADMIN_KEY
  --json              print JSON
  --help              print this
`;

/** A key as the API shows it. */
interface Key {
  id: string;
  name: string;
  scopes: string[];
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  revokedAt: string | null;
}

const KEY_FIELDS = 'id name scopes createdAt expiresAt lastUsedAt revokedAt';
const LIST = `{ keys { ${KEY_FIELDS} } }`;
const REVOKE = `mutation Revoke($id: ID!) { revokeKey(id: $id) { ${KEY_FIELDS} } }`;
const CREATE = `mutation Create($input: CreateKeyInput!) { createKey(input: $input) { key { ${KEY_FIELDS} } secret } }`;

const FLAGS = {
  name: { type: 'string' },
  scope: { type: 'string', multiple: true },
  expires: { type: 'string' },
  url: { type: 'string' },
  json: { type: 'boolean' },
} as const;

type Flags = ReturnType<typeof parseFlags<typeof FLAGS>>['flags'];

/** `hookline keys`: the keys of the API. */
export const command: Command = {
  name: 'keys',
  summary: 'create, list and revoke keys of the API',
  usage: USAGE,
  async run(args, io) {
    const { flags, words } = parseFlags(args, FLAGS, ['create, list or revoke', 'the id of the key']);
    const [verb, id] = words;
    if (verb === 'revoke') return revoke(io, flags, id);
    if (id !== undefined) throw new UsageError('Only `keys revoke` takes an id (see --help).');
    if (verb === 'create') return create(io, flags);
    if (verb === 'list') return list(io, flags);
    throw new UsageError('Say what to do with keys: create, list or revoke (see --help).');
  },
};

async function create(io: CommandIo, flags: Flags): Promise<number> {
  const scopes = (flags.scope ?? []).flatMap((text) => text.split(',')).map((scope) => scope.trim());
  if (flags.name === undefined) throw new UsageError('Give the key a name with --name (see --help).');
  if (scopes.length === 0) throw new UsageError('Say what the key may do with --scope (see --help).');
  const unknown = scopes.find((scope) => !SCOPES.some((known) => known === scope));
  if (unknown !== undefined) {
    throw new UsageError(`There is no scope "${unknown}"; there are ${SCOPES.join(', ')}.`);
  }
  const input = { name: flags.name, scopes, ...expiry(flags.expires, io.now()) };
  const { createKey } = await connectToGateway(io, flags.url).query<{
    createKey: { key: Key; secret: string };
  }>(CREATE, { input });
  const { key, secret } = createKey;
  io.stdout.write(
    flags.json
      ? `${JSON.stringify(createKey)}\n`
      : `${secret}\n\nThat is ${key.id}, "${key.name}"; it is not shown again.\n`,
  );
  return 0;
}

function expiry(text: string | undefined, now: number): { expiresAt?: string } {
  if (text === undefined) return {};
  const durationMs = parseDuration(text);
  if (durationMs === null || durationMs <= 0)
    throw new UsageError(`The value of --expires must be ${DURATION_FORM}.`);
  return { expiresAt: new Date(now + durationMs).toISOString() };
}

async function list(io: CommandIo, flags: Flags): Promise<number> {
  refuseCreateFlags(flags);
  const { keys } = await connectToGateway(io, flags.url).query<{ keys: Key[] }>(LIST);
  if (flags.json) io.stdout.write(`${JSON.stringify(keys)}\n`);
  else for (const key of keys) io.stdout.write(`${describeKey(key, io.now())}\n`);
  return 0;
}

async function revoke(io: CommandIo, flags: Flags, id: string | undefined): Promise<number> {
  refuseCreateFlags(flags);
  if (id === undefined)
    throw new UsageError('Give the id of the key to revoke; `hookline keys list` shows them.');
  const { revokeKey } = await connectToGateway(io, flags.url).query<{ revokeKey: Key }>(REVOKE, { id });
  io.stdout.write(flags.json ? `${JSON.stringify(revokeKey)}\n` : `${revokeKey.id} is revoked.\n`);
  return 0;
}

function refuseCreateFlags(flags: Flags): void {
  const stray = (['name', 'scope', 'expires'] as const).find((flag) => flags[flag] !== undefined);
  if (stray !== undefined) throw new UsageError(`The flag --${stray} only goes with \`keys create\`.`);
}

function describeKey(key: Key, now: number): string {
  const state =
    key.revokedAt !== null
      ? `revoked ${key.revokedAt}`
      : key.expiresAt === null
        ? 'valid'
        : `${Date.parse(key.expiresAt) <= now ? 'expired' : 'valid until'} ${key.expiresAt}`;
  const used = key.lastUsedAt === null ? 'never used' : `last used ${key.lastUsedAt}`;
  return [key.id, key.name, key.scopes.join(','), state, used].join('\t');
}
