import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createKeyService } from '../../gateway/access/keys.ts';
import { checkSecretKey, createSecretBox } from '../../gateway/access/secret-box.ts';
import { systemClock } from '../../gateway/clock.ts';
import { createInspector } from '../../gateway/connectors/inspector.ts';
import { createEndpointRegistry } from '../../gateway/delivery/endpoints.ts';
import { createSourceRegistry } from '../../gateway/ingest/sources.ts';
import { openStore } from '../../gateway/store/open-store.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const secretBox = createSecretBox(Buffer.alloc(32, 7).toString('base64'), randomBytes);

/** The registries of a gateway, wired to each other as the gateway wires them, on a database file. */
async function start(path: string) {
  const store = await openStore(`sqlite:${path}`, systemClock);
  const base = { records: store, clock: systemClock, random: randomBytes };
  await checkSecretKey(store, secretBox);
  const inspector = await createInspector({
    ...base,
    baseUrl: () => 'http://127.0.0.1:4000',
    deliveringTo: (binId) => endpoints.deliveringTo(binId),
  });
  const endpoints = await createEndpointRegistry({
    ...base,
    secretBox,
    checkExpression: () => null,
    hasBin: (binId) => inspector.hasBin(binId),
    vet: (url) =>
      Promise.resolve(
        url.startsWith('inspector:')
          ? { kind: 'inspector', binId: url.slice('inspector:'.length) }
          : { kind: 'network', url: new URL(url), unresolved: true },
      ),
  });
  const sources = await createSourceRegistry({ ...base, secretBox, givenSecrets: {} });
  const keys = await createKeyService({ ...base, adminKey: 'the-admin-key' });
  return {
    endpoints,
    inspector,
    sources,
    keys,
    async close() {
      await endpoints[Symbol.asyncDispose]();
      for (const registry of [inspector, sources, keys]) registry[Symbol.dispose]();
      await store.close();
    },
  };
}

it('finds everything again after the database was closed and opened', async () => {
  await using folder = await makeTempFolder();
  const path = join(folder.path, 'hookline.db');
  const before = await start(path);
  const bin = await before.inspector.createBin();
  const { endpoint, secret } = await before.endpoints.create({ url: `inspector:${bin.id}`, events: ['*'] });
  const declared = await before.endpoints.declare('owner', [
    { key: 'n1', kind: 'FLOW', events: ['*'] },
    { key: 'n2', kind: 'WEBHOOK', url: 'https://hooks.example', results: true },
  ]);
  await before.inspector.receive(bin.id, {
    method: 'POST',
    headers: { 'x-mes-signature': 'ab' },
    body: '{}',
  });
  const { key, secret: bearer } = await before.keys.create({ name: 'line 4', scopes: ['events:read'] });
  const shown = [
    before.endpoints.list(),
    before.inspector.requests(bin.id),
    before.inspector.bins(),
    before.sources.list(),
  ];
  const sourceSecret = before.sources.revealSecret('mes');
  await before.close();

  const after = await start(path);
  expect([
    after.endpoints.list(),
    after.inspector.requests(bin.id),
    after.inspector.bins(),
    after.sources.list(),
  ]).toEqual(shown);
  expect(after.inspector.requests(bin.id)[0]!.signature).toMatchObject({ valid: false });
  expect(after.endpoints.deliveringTo(bin.id)).toEqual([
    { id: endpoint.id, secrets: [secret], secretHeaders: [] },
  ]);
  expect(after.sources.revealSecret('mes')).toBe(sourceSecret);
  expect(after.keys.authenticate(bearer)).toMatchObject({ keyId: key.id });
  const again = await after.endpoints.declare('owner', [
    { key: 'n1', kind: 'FLOW', events: ['*'] },
    { key: 'n2', kind: 'WEBHOOK', url: 'https://hooks.example', results: true },
  ]);
  expect(again.map((applied) => applied.endpoint)).toEqual(declared.map((applied) => applied.endpoint));
  await after.close();
});

it('does not start with another secret key', async () => {
  await using folder = await makeTempFolder();
  const path = join(folder.path, 'hookline.db');
  await (await start(path)).close();
  const store = await openStore(`sqlite:${path}`, systemClock);
  const other = createSecretBox(Buffer.alloc(32, 8).toString('base64'), randomBytes);
  await expect(checkSecretKey(store, other)).rejects.toMatchObject({ code: 'CONFIGURATION' });
  await store.close();
});
