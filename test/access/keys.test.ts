import { randomBytes } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { createKeyService } from '../../gateway/access/keys.ts';
import type { Scope } from '../../gateway/services.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createMemoryRecords } from '../support/memory-records.ts';

const ADMIN_KEY = 'the-admin-key';

function setUp() {
  const clock = createManualClock();
  const records = createMemoryRecords(clock);
  const start = () =>
    createKeyService({ records, clock, random: randomBytes, adminKey: ADMIN_KEY, flowKey: 'flow-key' });
  return { clock, records, start };
}

it('accepts a key with its scopes from the moment it is made', async () => {
  const { start, clock } = setUp();
  using keys = await start();
  const { key, secret } = await keys.create({
    name: ' line 4 ',
    scopes: ['events:read', 'events:read', 'webhooks:write'],
  });
  expect(secret).toMatch(/^sk-[\w-]{43}$/);
  expect(key).toEqual({
    id: expect.stringMatching(/^key_[\w-]{16}$/) as unknown,
    name: 'line 4',
    scopes: ['events:read', 'webhooks:write'],
    createdAt: clock.now(),
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
  });
  const principal = keys.authenticate(secret);
  expect(principal).toMatchObject({ keyId: key.id, name: 'line 4' });
  expect([...principal!.scopes]).toEqual(['events:read', 'webhooks:write']);
  expect(keys.authenticate(secret)).toBe(principal);
});

it('keeps nothing that could be used as the key', async () => {
  const { start, records } = setUp();
  using keys = await start();
  const { secret } = await keys.create({ name: 'a', scopes: ['admin'] });
  const stored = JSON.stringify(await records.list('keys'));
  expect(stored).not.toContain(secret);
  expect(stored).not.toContain(secret.slice(3));
  expect(stored).not.toContain(ADMIN_KEY);
  expect(JSON.stringify(keys.list())).not.toMatch(/hash/);
});

it('refuses a wrong, an expired and a revoked key', async () => {
  const { start, clock } = setUp();
  using keys = await start();
  const { secret } = await keys.create({ name: 'a', scopes: ['admin'], expiresAt: clock.now() + 1000 });
  const { key, secret: other } = await keys.create({ name: 'b', scopes: ['admin'] });
  expect(keys.authenticate(`${secret}x`)).toBeNull();
  expect(keys.authenticate('')).toBeNull();
  expect(keys.authenticate(secret)).not.toBeNull();
  clock.advance(1000);
  expect(keys.authenticate(secret)).toBeNull();
  await keys.revoke(key.id);
  expect(keys.authenticate(other)).toBeNull();
});

it('revokes once and for all: the time of the first revocation stays', async () => {
  const { start, clock } = setUp();
  using keys = await start();
  const { key } = await keys.create({ name: 'a', scopes: ['admin'] });
  const first = await keys.revoke(key.id);
  clock.advance(5000);
  expect(await keys.revoke(key.id)).toEqual(first);
  await expect(keys.revoke('key_unknown')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('always knows the built-in keys and never revokes them', async () => {
  const { start } = setUp();
  using keys = await start();
  expect(keys.authenticate(ADMIN_KEY)).toMatchObject({ keyId: 'key_admin' });
  expect([...keys.authenticate('flow-key')!.scopes]).toEqual(['flow']);
  for (const id of ['key_admin', 'key_flow']) {
    await expect(keys.revoke(id)).rejects.toMatchObject({ code: 'CONFLICT' });
  }
  expect(keys.list()).toEqual([]);
});

it('does not start with an empty admin key, which every empty key would match', async () => {
  const clock = createManualClock();
  const options = { records: createMemoryRecords(clock), clock, random: randomBytes, adminKey: '' };
  await expect(createKeyService(options)).rejects.toMatchObject({ code: 'CONFIGURATION' });
});

it('names the field of a bad input and what is accepted', async () => {
  const { start, clock } = setUp();
  using keys = await start();
  const wrong: [object, string, RegExp][] = [
    [{ name: ' ', scopes: ['admin'] }, 'name', /1 to 100/],
    [{ name: 'x'.repeat(101), scopes: ['admin'] }, 'name', /1 to 100/],
    [{ name: 'a', scopes: [] }, 'scopes', /at least one/],
    [{ name: 'a', scopes: ['root'] }, 'scopes', /"root" is not a scope.*webhooks:write/],
    [{ name: 'a', scopes: ['admin'], expiresAt: clock.now() }, 'expiresAt', /expired already/],
    [{ name: 'a', scopes: ['admin'], expiresAt: Number.NaN }, 'expiresAt', /expired already/],
  ];
  for (const [input, field, message] of wrong) {
    await expect(keys.create(input as { name: string; scopes: Scope[] })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      details: { field },
      message: expect.stringMatching(message) as unknown,
    });
  }
});

it('notes at most once a minute when a key was used', async () => {
  const { start, clock, records } = setUp();
  using keys = await start();
  const { key, secret } = await keys.create({ name: 'a', scopes: ['admin'] });
  const lastUse = () => keys.list().find(({ id }) => id === key.id)?.lastUsedAt;
  clock.advance(5);
  const firstUse = clock.now();
  for (let use = 0; use < 10; use += 1) keys.authenticate(secret);
  await vi.waitFor(() => expect(lastUse()).toBe(firstUse));
  clock.advance(59_999);
  keys.authenticate(secret);
  expect(records.commits).toBe(2);
  clock.advance(1);
  keys.authenticate(secret);
  await vi.waitFor(() => expect(lastUse()).toBe(firstUse + 60_000));
  expect(records.commits).toBe(3);
});

it('knows after a restart what it knew before', async () => {
  const { start } = setUp();
  const before = await start();
  const { secret } = await before.create({ name: 'a', scopes: ['events:read'] });
  const { key, secret: revoked } = await before.create({ name: 'b', scopes: ['events:read'] });
  await before.revoke(key.id);
  before[Symbol.dispose]();
  using after = await start();
  expect(after.authenticate(secret)).toMatchObject({ name: 'a' });
  expect(after.authenticate(revoked)).toBeNull();
  expect(after.list().map(({ name }) => name)).toEqual(['a', 'b']);
});

it('accepts and refuses what another process made and revoked', async () => {
  const { start } = setUp();
  using here = await start();
  using there = await start();
  const { key, secret } = await here.create({ name: 'a', scopes: ['events:read'] });
  await vi.waitFor(() => expect(there.authenticate(secret)).not.toBeNull());
  await there.revoke(key.id);
  await vi.waitFor(() => expect(here.authenticate(secret)).toBeNull());
});
