import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../gateway/clock.ts';
import { makeAttempt, owe, TestWorker } from '../support/store-fixtures.ts';
import { startTestGateway } from './support/test-gateway.ts';
import type { TestGateway } from './support/test-gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

const URL = 'https://hooks.example/in';
const SHAPED = {
  filter: 'data.quantity > 10',
  payload: '{ "id": data.id }',
  orderBy: 'data.workOrder.id',
  onFailed: 'SKIP',
  newestOnly: true,
  rateLimitPerSecond: 2.5,
  timeToLiveSeconds: 90,
};
const PLAIN = {
  filter: null,
  payload: null,
  orderBy: null,
  onFailed: 'WAIT',
  newestOnly: false,
  rateLimitPerSecond: null,
  timeToLiveSeconds: null,
};
const FIELDS =
  'id filter payload orderBy onFailed newestOnly rateLimitPerSecond timeToLiveSeconds publicKey disabledReason urlIsSecret';

async function create(input: Record<string, unknown> = {}) {
  const { data, errors } = await gateway.ask(
    `mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { endpoint { ${FIELDS} } } }`,
    { input: { url: URL, events: ['a.b'], ...input } },
  );
  expect(errors).toBeUndefined();
  return data.createEndpoint.endpoint;
}

const update = (id: string, input: Record<string, unknown>) =>
  gateway.ask(
    `mutation($id: ID!, $input: UpdateEndpointInput!) { updateEndpoint(id: $id, input: $input) { ${FIELDS} } }`,
    { id, input },
  );

describe('the settings of an endpoint', () => {
  it('are taken when it is made, and shown', async () => {
    expect(await create(SHAPED)).toMatchObject({ ...SHAPED, publicKey: null, disabledReason: null });
    expect(await create()).toMatchObject(PLAIN);
  });

  it('are changed, left alone by null where null says nothing, and cleared where it does', async () => {
    const endpoint = await create({ ...SHAPED, ed25519: true });
    const kept = await update(endpoint.id, {
      onFailed: null,
      newestOnly: null,
      ed25519: null,
      urlIsSecret: null,
    });
    expect(kept.data.updateEndpoint).toEqual(endpoint);
    const cleared = await update(endpoint.id, { ...PLAIN, payload: '' });
    expect(cleared.data.updateEndpoint).toEqual({ ...endpoint, ...PLAIN });
  });

  it('are refused with the field at fault', async () => {
    const { id } = await create();
    const refused = await update(id, { newestOnly: true });
    expect(refused.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'newestOnly' } }]);
    const tooFast = await update(id, { rateLimitPerSecond: 10_001 });
    expect(tooFast.errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'rateLimitPerSecond' } },
    ]);
  });

  it('hold a key pair of which only the public half is shown', async () => {
    const { id, publicKey } = await create();
    expect(publicKey).toBeNull();
    const on = await update(id, { ed25519: true });
    expect(on.data.updateEndpoint.publicKey).toMatch(/^whpk_/);
    expect(JSON.stringify(on.data)).not.toContain('whsk_');
    const off = await update(id, { ed25519: false });
    expect(off.data.updateEndpoint.publicKey).toBeNull();
  });

  it('say whether the URL is a secret, also later', async () => {
    const { id } = await create();
    const secret = await update(id, { urlIsSecret: true });
    expect(secret.data.updateEndpoint.urlIsSecret).toBe(true);
    const reader = await gateway.keyWith('webhooks:read');
    const shown = await gateway.ask('query($id: ID!) { endpoint(id: $id) { url } }', { id }, reader);
    expect(shown.data.endpoint.url).toBe('https://hooks.example/…');
  });

  it('are declared by flows too', async () => {
    const { payload, ...shaped } = SHAPED;
    const declared = await gateway.ask(
      `mutation($input: ApplyFlowInput!) { applyFlow(input: $input) { endpoints { endpoint { ${FIELDS} } } } }`,
      {
        input: {
          owner: 'node-red-settings',
          endpoints: [
            { key: 'a', kind: 'FLOW', events: ['a.b'], ...shaped },
            { key: 'b', kind: 'WEBHOOK', url: URL, urlIsSecret: true, payload, ed25519: true },
          ],
        },
      },
    );
    const [a, b] = declared.data.applyFlow.endpoints;
    expect(a.endpoint).toMatchObject({ ...shaped, payload: null });
    expect(b.endpoint).toMatchObject({
      ...PLAIN,
      payload,
      urlIsSecret: true,
      publicKey: expect.stringMatching(/^whpk_/) as unknown,
    });
  });

  it('say why the gateway switched it off', async () => {
    const { id } = await create();
    await gateway.services.endpoints.disable(id, 'gone');
    const off = await gateway.ask('query($id: ID!) { endpoint(id: $id) { active disabledReason } }', { id });
    expect(off.data.endpoint).toEqual({ active: false, disabledReason: 'gone' });
  });
});

const STATE =
  'state { inFlight concurrency restUntil circuit nextProbeAt failuresInRow failingSince lastSuccessAt }';

describe('the state of an endpoint', () => {
  it('is calm where nothing has happened', async () => {
    const { id } = await create();
    const { data } = await gateway.ask(`query($id: ID!) { endpoint(id: $id) { ${STATE} } }`, { id });
    expect(data.endpoint.state).toEqual({
      inFlight: 0,
      concurrency: 32,
      restUntil: null,
      circuit: 'CLOSED',
      nextProbeAt: null,
      failuresInRow: 0,
      failingSince: null,
      lastSuccessAt: null,
    });
  });

  it('shows what is under way, the failures in a row and the rest a receiver asked for', async () => {
    const { id } = await create();
    const pool = 'state';
    await gateway.storeEvent({ type: 'a.b' }, owe(systemClock, id, { pool }));
    const worker = new TestWorker(gateway.store, { pool });
    const { deliveryId, token } = await worker.next();
    const ask = () => gateway.ask(`query($id: ID!) { endpoint(id: $id) { ${STATE} } }`, { id });
    expect((await ask()).data.endpoint.state).toMatchObject({ inFlight: 1, circuit: 'CLOSED' });
    await gateway.store.record([
      {
        deliveryId,
        token,
        attempt: makeAttempt(systemClock, { outcome: 'HTTP_STATUS', statusCode: 503 }),
        status: 'RETRYING',
        dueAt: systemClock.now() + 60_000,
        step: 1,
        reason: null,
        sign: { kind: 'failure', restMs: 30_000 },
        causes: [],
      },
    ]);
    await worker.stop();
    const after = await ask();
    const moment = expect.stringMatching(/^\d{4}-.*Z$/) as unknown;
    expect(after.data.endpoint.state).toMatchObject({
      inFlight: 0,
      failuresInRow: 1,
      failingSince: moment,
      restUntil: moment,
      lastSuccessAt: null,
    });
  });

  it('is one question to the store for all endpoints of a list', async () => {
    const made = [await create(), await create(), await create()].map(({ id }) => id);
    const laneStates = vi.spyOn(gateway.store, 'laneStates');
    const { data } = await gateway.ask(
      `{ endpoints(first: 200) { edges { node { id state { circuit } again: state { inFlight } } } } }`,
    );
    const shown = data.endpoints.edges.map(({ node }: { node: { id: string } }) => node.id);
    expect(shown).toEqual(expect.arrayContaining(made));
    expect(laneStates.mock.calls.map(([ids]) => ids)).toEqual([shown]);
    laneStates.mockRestore();
  });
});
