import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

import type { DeliveryRow } from '../../gateway/store/store-reader.ts';
import type { Store } from '../../gateway/store/store.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startReceiver } from '../support/http-receiver.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { PROJECT_ROOT, readDocument } from './markdown.ts';

/** Who may not import whom: they meet in the store. */
const STRANGERS = {
  'gateway/delivery': ['gateway/graphql/', 'gateway/rest/', 'gateway/ingest/'],
  'gateway/graphql': ['gateway/delivery/', 'gateway/ingest/', 'gateway/connectors/', 'gateway/egress/'],
  'gateway/ingest': [
    'gateway/graphql/',
    'gateway/rest/',
    'gateway/connectors/',
    'gateway/egress/',
    'gateway/delivery/worker.ts',
  ],
};

it('delivery, ingest and streaming do not call each other', () => {
  for (const [stage, strangers] of Object.entries(STRANGERS)) {
    const imports = importsOf(stage);
    expect(imports.length).toBeGreaterThan(10);
    for (const { file, imported } of imports) {
      expect(existsSync(join(PROJECT_ROOT, imported)), `${file} imports ${imported}`).toBe(true);
      expect(
        strangers.filter((stranger) => imported.startsWith(stranger)),
        `${file} imports ${imported}`,
      ).toEqual([]);
    }
  }
});

it('a test, an event and a retry by hand are refused alike where the address is no longer allowed', async () => {
  await using folder = await makeTempFolder();
  await using receiver = await startReceiver();
  const dataDir = folder.path;
  const url = receiver.url('/hook');

  const first = await startTestGateway({ dataDir, env: { HOOKLINE_EGRESS_ALLOW: '127.0.0.0/8' } });
  const { endpoint } = await first.services.endpoints.create({ url, events: ['*'] });
  const delivered = await first.services.deliveries.sendTest(endpoint.id, 'work_order.created');
  expect(await resultOf(first.services.store, delivered.id)).toMatchObject({ status: 'SUCCEEDED' });
  await first.close();

  await using second = await startTestGateway({ dataDir, env: { HOOKLINE_EGRESS_ALLOW: '' } });
  const { store, deliveries, events } = second.services;
  const test = await deliveries.sendTest(endpoint.id, 'work_order.created');
  const event = await events.publish({ type: 'work_order.created', data: {} });
  const ofEvent = await store.reader.deliveries({
    where: { eventIds: [event.id] },
    limit: 1,
    order: 'newest',
    after: null,
  });
  const again = await deliveries.retry(delivered.id);
  for (const { id } of [test, ofEvent.rows[0]!.row, again]) {
    expect(await resultOf(store, id)).toMatchObject({ status: 'REJECTED', reason: 'refused_by_policy' });
  }
  expect(receiver.requests).toHaveLength(1);
});

function importsOf(stage: string): { file: string; imported: string }[] {
  const files = readdirSync(join(PROJECT_ROOT, stage), { recursive: true, encoding: 'utf8' });
  return files
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(stage, name))
    .flatMap((file) =>
      [...readDocument(file).matchAll(/from '(\.[^']+)'/g)].map(([, path]) => ({
        file,
        imported: join(dirname(file), path!),
      })),
    );
}

/** The delivery once it is over. */
async function resultOf(store: Store, id: string): Promise<DeliveryRow | null | undefined> {
  const find = async (): Promise<DeliveryRow | null | undefined> =>
    (await store.reader.deliveriesById([id]))[0];
  await expect.poll(async () => (await find())?.completedAt ?? null).not.toBeNull();
  return find();
}
