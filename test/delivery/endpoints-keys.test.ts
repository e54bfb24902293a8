import { expect, it } from 'vitest';
import type { FlowEndpointInput } from '../../gateway/services.ts';
import { publicKeyOf } from '../../gateway/signing/secret.ts';
import { BIN_ID, createEndpointWorld } from '../support/endpoint-registry.ts';

const CREATED = { url: 'https://hooks.example/mes', events: ['*'] };

it('makes an ed25519 key where it is asked for, shows its public half and seals the other', async () => {
  const { start, clock, records } = createEndpointWorld();
  const before = await start();
  const { endpoint } = await before.create({ ...CREATED, ed25519: true });
  const { privateKey } = before.runtime(endpoint.id)!.secrets(clock.now());
  expect(privateKey).toMatch(/^whsk_/);
  expect(endpoint.publicKey).toBe(publicKeyOf(privateKey!));
  expect(JSON.stringify(before.list())).not.toContain(privateKey);
  const stored = JSON.stringify(await records.list('endpoints'));
  expect(stored).not.toContain('whsk_');
  expect(stored).not.toContain(privateKey!.slice('whsk_'.length));
  await before[Symbol.asyncDispose]();
  await using after = await start();
  expect(after.find(endpoint.id)).toEqual(endpoint);
  expect(after.runtime(endpoint.id)!.secrets(clock.now()).privateKey).toBe(privateKey);
});

it('keeps the key while it is on, forgets it when it is switched off, and makes another after that', async () => {
  const { start, clock, records } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create(CREATED);
  const { id } = endpoint;
  const privateKey = () => endpoints.runtime(id)!.secrets(clock.now()).privateKey;
  const { publicKey } = await endpoints.update(id, { ed25519: true });
  expect(publicKey).toBe(publicKeyOf(privateKey()!));
  const { commits } = records;
  expect(await endpoints.update(id, { ed25519: true })).toMatchObject({ publicKey });
  expect(records.commits).toBe(commits);
  expect(await endpoints.update(id, { description: 'line 4' })).toMatchObject({ publicKey });
  expect(await endpoints.update(id, { ed25519: false })).toMatchObject({ publicKey: null });
  expect(privateKey()).toBeNull();
  const again = await endpoints.update(id, { ed25519: true });
  expect(again.publicKey).toBe(publicKeyOf(privateKey()!));
  expect(again.publicKey).not.toBe(publicKey);
});

it('rotates the shared secret alone', async () => {
  const { start, clock } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint, secret: first } = await endpoints.create({ ...CREATED, ed25519: true });
  const secrets = () => endpoints.runtime(endpoint.id)!.secrets(clock.now());
  const { privateKey } = secrets();
  const rotated = await endpoints.rotateSecret(endpoint.id, 60);
  expect(rotated.endpoint.publicKey).toBe(endpoint.publicKey);
  expect(secrets()).toEqual({ current: rotated.secret, old: [first], privateKey });
  clock.advance(60_000);
  expect(secrets()).toEqual({ current: rotated.secret, old: [], privateKey });
});

it('lets a text secret do without the legacy signature, as long as there is a key', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create({
    ...CREATED,
    secret: 'a-secret-that-is-text',
    legacySignature: false,
    ed25519: true,
  });
  await expect(endpoints.update(endpoint.id, { ed25519: false })).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    details: { field: 'legacySignature' },
  });
  expect(endpoints.find(endpoint.id)).toEqual(endpoint);
});

it('keeps the key of a webhook that a flow declares over deploys, until the flow no longer asks for it', async () => {
  const { start, records } = createEndpointWorld();
  await using endpoints = await start();
  const webhook: FlowEndpointInput = { key: 'n1', kind: 'WEBHOOK', url: CREATED.url };
  const declare = async (rest: Partial<FlowEndpointInput>) =>
    (await endpoints.declare('node-red-1', [{ ...webhook, ...rest }]))[0]!.endpoint.publicKey;
  const publicKey = await declare({ ed25519: true });
  expect(publicKey).toMatch(/^whpk_/);
  const { commits } = records;
  expect(await declare({ ed25519: true })).toBe(publicKey);
  expect(records.commits).toBe(commits);
  expect(await declare({ ed25519: true, description: 'line 4' })).toBe(publicKey);
  expect(await declare({})).toBeNull();
});

it('gives the inspector the public key of those that deliver to it', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint, secret } = await endpoints.create({
    ...CREATED,
    url: `inspector:${BIN_ID}`,
    ed25519: true,
  });
  expect(endpoints.deliveringTo(BIN_ID)).toEqual([
    { id: endpoint.id, secrets: [secret], publicKey: endpoint.publicKey, secretHeaders: [] },
  ]);
});
