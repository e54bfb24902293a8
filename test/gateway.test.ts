import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startReceiver } from './support/http-receiver.ts';
import { startTestGateway } from './support/gateway.ts';
import { makeTempFolder } from './support/temp-folder.ts';

const CREATE = `mutation ($url: String!) {
  createEndpoint(input: { url: $url, events: ["*"] }) { endpoint { id } secret }
}`;
const PUBLISH = `mutation { publishEvent(input: { type: "work_order.created", data: {} }) { id } }`;

describe('the gateway', () => {
  it('says that it lives and that it is ready', async () => {
    await using gateway = await startTestGateway();
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${gateway.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
  });

  it('answers what it does not know in the shape of all errors', async () => {
    await using gateway = await startTestGateway();
    const nothing = await fetch(`${gateway.url}/nothing`);
    expect(nothing.status).toBe(404);
    expect(await nothing.json()).toMatchObject({ error: { code: 'NOT_FOUND' } });
    const get = await fetch(`${gateway.url}/webhooks/mes`);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('finishes an attempt that is under way before it closes', async () => {
    const folder = await makeTempFolder();
    await using receiver = await startReceiver();
    const release = Promise.withResolvers<void>();
    receiver.respond({ status: 200, after: release.promise });
    const first = await startTestGateway({ dataDir: folder.path });
    await first.ask(CREATE, { url: receiver.url('/hook') });
    await first.ask(PUBLISH);
    await receiver.waitFor(1);
    const closed = first.close();
    release.resolve();
    await closed;
    await using second = await startTestGateway({ dataDir: folder.path });
    const { deliveries } = await second.ask<{
      deliveries: { edges: { node: { status: string; attemptCount: number } }[] };
    }>('{ deliveries { edges { node { status attemptCount } } } }');
    expect(deliveries.edges).toMatchObject([{ node: { status: 'SUCCEEDED', attemptCount: 1 } }]);
    expect(receiver.requests).toHaveLength(1);
  });

  it('keeps endpoint secrets sealed on the disk, and stops the start with another secret key', async () => {
    await using folder = await makeTempFolder();
    const first = await startTestGateway({ dataDir: folder.path });
    const { createEndpoint } = await first.ask<{ createEndpoint: { secret: string } }>(CREATE, {
      url: 'http://127.0.0.1:9/',
    });
    await first.close();
    const bytes = readFileSync(join(folder.path, 'hookline.db'));
    expect(bytes.includes(createEndpoint.secret)).toBe(false);
    const other = { HOOKLINE_SECRET_KEY: Buffer.alloc(32, 8).toString('base64') };
    await expect(startTestGateway({ dataDir: folder.path, env: other })).rejects.toMatchObject({
      code: 'CONFIGURATION',
    });
    await using again = await startTestGateway({ dataDir: folder.path });
    expect(again.services.endpoints.list()).toHaveLength(1);
  });

  it('leaves the secrets of its sources to the owner of the data directory alone', async () => {
    await using gateway = await startTestGateway({ env: { WEBHOOK_SECRET: 'the-secret-of-the-mes' } });
    const path = join(gateway.dataDir, 'source-secrets.json');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ mes: 'the-secret-of-the-mes' });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});
