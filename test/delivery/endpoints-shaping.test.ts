import { expect, it } from 'vitest';
import type { StoredEndpoint } from '../../gateway/delivery/endpoint-record.ts';
import type { EndpointInput, FlowEndpointInput } from '../../gateway/services.ts';
import type { LaneSettings } from '../../gateway/store/store.ts';
import { createEndpointWorld } from '../support/endpoint-registry.ts';

const CREATED = { url: 'https://hooks.example/mes', events: ['*'] };
const SHAPED = {
  filter: 'data.quantity > 10',
  payload: '{ "id": data.id }',
  orderBy: 'data.workOrder.id',
  onFailed: 'SKIP',
  newestOnly: true,
  rateLimitPerSecond: 2.5,
  timeToLiveSeconds: 90,
} as const;
const PLAIN = {
  filter: null,
  payload: null,
  orderBy: null,
  onFailed: 'WAIT',
  newestOnly: false,
  rateLimitPerSecond: null,
  timeToLiveSeconds: null,
} as const;

it('keeps how deliveries are chosen, shaped, ordered and paced, also over a restart', async () => {
  const { start } = createEndpointWorld();
  const before = await start();
  const { endpoint } = await before.create({ ...CREATED, ...SHAPED });
  expect(endpoint).toMatchObject(SHAPED);
  await before[Symbol.asyncDispose]();
  await using after = await start();
  expect(after.find(endpoint.id)).toEqual(endpoint);
});

it('has them ready for the hot path, and as they are after each change', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create({ ...CREATED, ...SHAPED });
  const runtime = () => endpoints.runtime(endpoint.id);
  const { rateLimitPerSecond: _rate, timeToLiveSeconds: _life, ...shaped } = SHAPED;
  expect(runtime()).toMatchObject({ ...shaped, timeToLiveMs: 90_000 });
  await endpoints.update(endpoint.id, { filter: 'true', timeToLiveSeconds: null });
  expect(runtime()).toMatchObject({ ...shaped, filter: 'true', timeToLiveMs: null });
});

it('takes back what is cleared: an expression by an empty text, a limit by null', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create({ ...CREATED, ...SHAPED });
  const cleared: EndpointInput = {
    filter: '',
    payload: null,
    orderBy: '',
    onFailed: 'WAIT',
    newestOnly: false,
    rateLimitPerSecond: null,
    timeToLiveSeconds: null,
  };
  expect(await endpoints.update(endpoint.id, cleared)).toEqual({ ...endpoint, ...PLAIN });
});

it('refuses newestOnly and SKIP without a key, whichever of the two changes', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create(CREATED);
  const update = (input: EndpointInput) => endpoints.update(endpoint.id, input);
  const refused = (field: string) => ({ code: 'BAD_USER_INPUT', details: { field } });
  await expect(endpoints.create({ ...CREATED, newestOnly: true })).rejects.toMatchObject(
    refused('newestOnly'),
  );
  await expect(update({ newestOnly: true })).rejects.toMatchObject(refused('newestOnly'));
  await expect(update({ onFailed: 'SKIP' })).rejects.toMatchObject(refused('onFailed'));
  expect(await update({ onFailed: 'WAIT', newestOnly: false })).toEqual(endpoint);

  await update({ orderBy: 'data.id', newestOnly: true });
  await expect(update({ orderBy: null })).rejects.toMatchObject(refused('newestOnly'));
  await update({ newestOnly: false, onFailed: 'SKIP' });
  await expect(update({ orderBy: '' })).rejects.toMatchObject(refused('onFailed'));
  expect(await update({ orderBy: '', onFailed: 'WAIT' })).toMatchObject(PLAIN);
});

it('refuses an expression that the check finds wrong, in every way there is to give one', async () => {
  const { start } = createEndpointWorld((source) =>
    source === 'data[' ? 'A bracket is not closed: close it.' : null,
  );
  await using endpoints = await start();
  const { endpoint } = await endpoints.create({ ...CREATED, filter: 'data.id' });
  const refused = (field: string) => ({
    code: 'BAD_USER_INPUT',
    message: expect.stringContaining('A bracket is not closed: close it.') as unknown,
    details: { field },
  });
  await expect(endpoints.create({ ...CREATED, payload: 'data[' })).rejects.toMatchObject(refused('payload'));
  await expect(endpoints.update(endpoint.id, { filter: 'data[' })).rejects.toMatchObject(refused('filter'));
  const flow: FlowEndpointInput = { key: 'n1', kind: 'FLOW', events: ['*'], orderBy: 'data[' };
  await expect(endpoints.declare('node-red-1', [flow])).rejects.toMatchObject(refused('endpoints.0.orderBy'));
});

it('tells the lanes how fast an endpoint may go, and lets what a deleted one is owed come out at once', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create({ ...CREATED, rateLimitPerSecond: 0.5 });
  const { id: endpointId } = endpoint;
  const told: LaneSettings[] = [];
  endpoints.onLanes((lanes) => told.push(...lanes));
  await endpoints.update(endpointId, { filter: 'no matter for lanes' });
  await endpoints.update(endpointId, { rateLimitPerSecond: 20 });
  await endpoints.remove(endpointId);
  const lanes = { endpointId, held: false, maxConcurrency: 32 };
  expect(told).toEqual([
    { ...lanes, ratePerSecond: 0.5 },
    { ...lanes, ratePerSecond: 20 },
    { ...lanes, ratePerSecond: null },
  ]);
});

it('declares a flow with a filter, an order and a pace, and at the defaults where the next deploy is silent', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const flow: FlowEndpointInput = { key: 'n1', kind: 'FLOW', events: ['*'] };
  const { payload: _, ...shaped } = SHAPED;
  const [made] = await endpoints.declare('node-red-1', [{ ...flow, ...shaped }]);
  expect(made!.endpoint).toMatchObject(shaped);
  const [again] = await endpoints.declare('node-red-1', [flow]);
  expect(again!.endpoint).toEqual({ ...made!.endpoint, ...PLAIN });
});

it('refuses for a flow what only a body that is sent has', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const flow: FlowEndpointInput = { key: 'n1', kind: 'FLOW', events: ['*'] };
  for (const [given, field] of [
    [{ payload: 'data' }, 'payload'],
    [{ ed25519: true }, 'ed25519'],
  ] as const) {
    await expect(endpoints.declare('node-red-1', [{ ...flow, ...given }])).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      details: { field: `endpoints.0.${field}` },
    });
  }
  const nothing = { payload: '', ed25519: false };
  await expect(endpoints.declare('node-red-1', [{ ...flow, ...nothing }])).resolves.toHaveLength(1);
});

it('names the declaration whose settings do not go together', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const webhook = (key: string, rest: Partial<FlowEndpointInput>): FlowEndpointInput => ({
    key,
    kind: 'WEBHOOK',
    url: 'https://hooks.example/in',
    ...rest,
  });
  const declared = endpoints.declare('node-red-1', [
    webhook('n1', {}),
    webhook('n2', { secret: 'a-secret-that-is-text', legacySignature: false }),
  ]);
  await expect(declared).rejects.toMatchObject({ details: { field: 'endpoints.1.legacySignature' } });
});

it('makes a URL a secret, and no secret again', async () => {
  const { start, records } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create(CREATED);
  const stored = async () => JSON.stringify(await records.list('endpoints'));
  const change = async (urlIsSecret: boolean) => {
    const input: EndpointInput & { urlIsSecret: boolean } = { urlIsSecret };
    return endpoints.update(endpoint.id, input);
  };
  expect(await change(true)).toEqual({ ...endpoint, urlIsSecret: true });
  expect(await stored()).not.toContain(CREATED.url);
  expect(await change(false)).toEqual(endpoint);
  expect(await stored()).toContain(CREATED.url);
});

/** As the version before these settings wrote it. */
async function storeOlderRecord({ records, secretBox, clock }: ReturnType<typeof createEndpointWorld>) {
  const id = 'ep_written_long_ago';
  const value = {
    endpoint: {
      kind: 'WEBHOOK',
      ...CREATED,
      urlIsSecret: false,
      description: 'line 4',
      active: false,
      paused: false,
      headers: [],
      machines: ['m1'],
      machineGroups: [],
      delaySeconds: 0,
      retrySchedule: null,
      timeoutSeconds: 5,
      maxConcurrency: 32,
      successStatus: 'ANY_2XX',
      legacySignature: true,
      includeTest: false,
      declaredBy: null,
      resultsTo: null,
      retiredAt: null,
      createdAt: clock.now(),
      updatedAt: clock.now(),
    },
    secret: secretBox.seal('shared-with-the-receiver', `endpoint/${id}/secret`),
    oldSecrets: [],
    declaredSecret: null,
    disabledReason: 'gone',
  };
  await records.commit([{ collection: 'endpoints', id, value, ifVersion: 0 }]);
  return { id, shown: value.endpoint };
}

it('reads what the version before has stored, with the defaults of what it did not know', async () => {
  const world = createEndpointWorld();
  const { id, shown } = await storeOlderRecord(world);
  await using endpoints = await world.start();
  expect(endpoints.find(id)).toEqual({ id, ...shown, ...PLAIN, publicKey: null, disabledReason: 'gone' });
  expect(endpoints.runtime(id)!.secrets(world.clock.now())).toEqual({
    current: 'shared-with-the-receiver',
    old: [],
    privateKey: null,
  });
});

it('writes what the version before has stored in the new form when it changes', async () => {
  const world = createEndpointWorld();
  const { id } = await storeOlderRecord(world);
  await using endpoints = await world.start();
  await endpoints.update(id, { active: true, filter: 'data.id' });
  const record = await world.records.get<StoredEndpoint>('endpoints', id);
  expect(record!.value).not.toHaveProperty('disabledReason');
  expect(record!.value.endpoint).toMatchObject({ filter: 'data.id', active: true, disabledReason: null });
});
