import type { Clock } from '../clock.ts';
import { badInput, HooklineError } from '../errors.ts';
import type { ApiKey, KeyService, Principal, Scope } from '../services.ts';
import { SCOPES } from '../services.ts';
import type { RandomBytes } from '../signing/secret.ts';
import { createRecordMirror } from '../store/record-mirror.ts';
import type { RecordStore } from '../store/records.ts';
import { hashBearerSecret } from './key-hash.ts';
import { isScope } from './scopes.ts';

/** Whoever holds HOOKLINE_ADMIN_KEY, and the browser sessions made with it. */
export const ADMIN_PRINCIPAL: Principal = { keyId: 'key_admin', name: 'admin', scopes: new Set(['admin']) };

/** The Node-RED that the gateway looks after. */
export const FLOW_PRINCIPAL: Principal = { keyId: 'key_flow', name: 'flows', scopes: new Set(['flow']) };

export interface KeyServiceOptions {
  records: RecordStore;
  clock: Clock;
  random: RandomBytes;
  /** Always valid, cannot be revoked and is not listed. */
  adminKey: string;
  /** As `adminKey`, for the supervised Node-RED. @default none */
  flowKey?: string;
}

/**
 * The keys of the API. Kept in memory; what another process creates or revokes arrives through the record store.
 * When a key was last used is written at most once a minute per key, and after the answer.
 */
export async function createKeyService(options: KeyServiceOptions): Promise<KeyService & Disposable> {
  const { records, clock, random } = options;
  const builtIn = new Map<string, Principal>([
    [hashBearerSecret(required(options.adminKey)), ADMIN_PRINCIPAL],
  ]);
  if (options.flowKey !== undefined) builtIn.set(hashBearerSecret(required(options.flowKey)), FLOW_PRINCIPAL);

  const byHash = new Map<string, KnownKey>();
  const index = (id: string, value: StoredKey): void => {
    const before = byHash.get(value.hash);
    byHash.set(value.hash, {
      value,
      // Names and scopes never change, so a key stays one object: others may remember things about it.
      principal: before?.principal ?? { keyId: id, name: value.name, scopes: new Set(value.scopes) },
      usedAt: Math.max(before?.usedAt ?? 0, value.lastUsedAt ?? 0),
    });
  };
  const mirror = await createRecordMirror<StoredKey>({
    records,
    clock,
    collection: 'keys',
    onChange: (id, record) => {
      if (record !== undefined) index(id, record.value);
    },
  });
  for (const { id, value } of mirror.all()) index(id, value);

  const noteUse = (key: KnownKey, now: number): void => {
    if (now - key.usedAt < USE_NOTED_EVERY_MS) return;
    key.usedAt = now;
    const note = (value: StoredKey = key.value): StoredKey => ({
      ...value,
      lastUsedAt: Math.max(value.lastUsedAt ?? 0, now),
    });
    // Nobody waits for it, and the next minute's note makes up for one that could not be written.
    mirror.update(key.principal.keyId, note).catch(() => undefined);
  };

  return {
    authenticate(bearer) {
      const hash = hashBearerSecret(bearer);
      const principal = builtIn.get(hash);
      if (principal !== undefined) return principal;
      const key = byHash.get(hash);
      if (key === undefined || key.value.revokedAt !== null) return null;
      const now = clock.now();
      if (key.value.expiresAt !== null && key.value.expiresAt <= now) return null;
      noteUse(key, now);
      return key.principal;
    },

    list: () => [...mirror.all()].map(({ id, value }) => shownKey(id, value)),

    async create(input) {
      const { name, scopes, expiresAt } = checkKeyInput(input, clock.now());
      const id = `key_${Buffer.from(random(12)).toString('base64url')}`;
      const secret = `sk-${Buffer.from(random(32)).toString('base64url')}`;
      const { value } = await mirror.update(id, () => ({
        hash: hashBearerSecret(secret),
        name,
        scopes,
        createdAt: clock.now(),
        expiresAt,
        lastUsedAt: null,
        revokedAt: null,
      }));
      return { key: shownKey(id, value), secret };
    },

    async revoke(id) {
      if (id === ADMIN_PRINCIPAL.keyId || id === FLOW_PRINCIPAL.keyId) {
        throw new HooklineError(
          'CONFLICT',
          `"${id}" is built in and cannot be revoked: to change the admin key, set HOOKLINE_ADMIN_KEY and start again.`,
        );
      }
      const { value } = await mirror.update(id, (present) => {
        if (present === undefined) {
          throw new HooklineError(
            'NOT_FOUND',
            `There is no key "${id.slice(0, 60)}": list the keys to see their ids.`,
          );
        }
        return present.revokedAt === null ? { ...present, revokedAt: clock.now() } : present;
      });
      return shownKey(id, value);
    },

    [Symbol.dispose]: () => mirror.close(),
  };
}

interface StoredKey extends Omit<ApiKey, 'id'> {
  /** See `hashBearerSecret`. */
  hash: string;
}

interface KnownKey {
  value: StoredKey;
  principal: Principal;
  /** When its use was noted last, Unix ms. */
  usedAt: number;
}

const USE_NOTED_EVERY_MS = 60_000;
const LONGEST_NAME = 100;

function shownKey(id: string, value: StoredKey): ApiKey {
  const { name, scopes, createdAt, expiresAt, lastUsedAt, revokedAt } = value;
  return { id, name, scopes, createdAt, expiresAt, lastUsedAt, revokedAt };
}

/** An empty key would let everybody in who sends an empty one. */
function required(key: string): string {
  if (key !== '') return key;
  throw new HooklineError(
    'CONFIGURATION',
    'A built-in key is empty: set HOOKLINE_ADMIN_KEY, or leave it out to have one made.',
  );
}

function checkKeyInput(
  input: { name: string; scopes: Scope[]; expiresAt?: number | null },
  now: number,
): { name: string; scopes: Scope[]; expiresAt: number | null } {
  const name = input.name.trim();
  if (name === '' || name.length > LONGEST_NAME) {
    throw badInput('name', `A key needs a name of 1 to ${LONGEST_NAME} characters that says who uses it.`);
  }
  if (input.scopes.length === 0) {
    throw badInput('scopes', `A key needs at least one scope. Scopes are: ${SCOPES.join(', ')}.`);
  }
  for (const scope of input.scopes) {
    if (!isScope(scope)) {
      throw badInput(
        'scopes',
        `"${String(scope).slice(0, 60)}" is not a scope. Scopes are: ${SCOPES.join(', ')}.`,
      );
    }
  }
  const expiresAt = input.expiresAt ?? null;
  if (expiresAt !== null && !(expiresAt > now)) {
    throw badInput('expiresAt', 'The key would have expired already: give a time to come, or none.');
  }
  return { name, scopes: [...new Set(input.scopes)], expiresAt };
}
