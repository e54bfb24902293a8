import { expect, it, vi } from 'vitest';
import type { EndpointInput } from '../../gateway/services.ts';
import type { LaneSettings } from '../../gateway/store/store.ts';
import { BIN_ID, createEndpointWorld } from '../support/endpoint-registry.ts';

const URL = 'https://hooks.example/mes';
const CREATED = { url: URL, events: ['work_order.created', 'work_order.completed'], active: true };
const HOUR_MS = 3_600_000;

it('registers the body of the vendor page, and shows the secret this once', async () => {
  const { start, clock } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint, secret } = await endpoints.create(CREATED);
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(endpoint).toEqual({
    id: expect.stringMatching(/^ep_[\w-]{16}$/) as unknown,
    kind: 'WEBHOOK',
    url: URL,
    urlIsSecret: false,
    description: '',
    events: CREATED.events,
    active: true,
    paused: false,
    headers: [],
    machines: [],
    machineGroups: [],
    delaySeconds: 0,
    retrySchedule: null,
    timeoutSeconds: 5,
    maxConcurrency: 32,
    successStatus: 'ANY_2XX',
    legacySignature: true,
    includeTest: false,
    filter: null,
    payload: null,
    orderBy: null,
    onFailed: 'WAIT',
    newestOnly: false,
    rateLimitPerSecond: null,
    timeToLiveSeconds: null,
    publicKey: null,
    disabledReason: null,
    declaredBy: null,
    resultsTo: null,
    retiredAt: null,
    createdAt: clock.now(),
    updatedAt: clock.now(),
  });
  expect(endpoints.find(endpoint.id)).toBe(endpoint);
  expect(endpoints.list()).toEqual([endpoint]);
  expect(JSON.stringify(endpoints.list())).not.toContain(secret);
});

it('keeps secrets sealed: of the endpoint, its URL and its flagged headers', async () => {
  const { start, records } = createEndpointWorld();
  await using endpoints = await start();
  const secret = 'a-secret-of-the-receiver';
  const { endpoint } = await endpoints.create({
    ...CREATED,
    url: 'https://hooks.slack.example/T000/hidden-in-the-url',
    urlIsSecret: true,
    secret,
    headers: [
      { name: 'X-Api-Key', value: 'hidden-in-a-header', secret: true },
      { name: 'x-site', value: 'plant-7' },
    ],
  });
  const stored = JSON.stringify(await records.list('endpoints'));
  for (const hidden of [secret, 'hidden-in-the-url', 'hidden-in-a-header'])
    expect(stored).not.toContain(hidden);
  expect(stored).toContain('plant-7');
  expect(endpoint.headers[0]).toEqual({ name: 'x-api-key', value: 'hidden-in-a-header', secret: true });
});

it('treats the incoming webhooks of Slack and its like as secrets without being told', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  for (const [url, isSecret] of [
    ['https://hooks.slack.com/services/T/B/x', true],
    ['https://hooks.zapier.com/hooks/catch/1/x', true],
    ['https://hook.eu2.make.com/abc', true],
    ['https://prod-01.westeurope.logic.azure.com/workflows/x', true],
    ['https://hooks.slack.com.example/services', false],
  ] as const) {
    expect((await endpoints.create({ ...CREATED, url })).endpoint.urlIsSecret, url).toBe(isSecret);
  }
  const told = await endpoints.create({
    ...CREATED,
    url: 'https://hook.eu2.make.com/abc',
    urlIsSecret: false,
  });
  expect(told.endpoint.urlIsSecret).toBe(false);
});

it('refuses an address the egress policy refuses, and names the CIDR to add', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const refused = (url: string) => endpoints.create({ ...CREATED, url });
  await expect(refused('http://10.20.0.7/hook')).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    message: expect.stringMatching(/10\.20\.0\.7\/32.*HOOKLINE_EGRESS_ALLOW/) as unknown,
    details: { field: 'url' },
  });
  await expect(refused('https://plant.internal/hook')).rejects.toMatchObject({ details: { field: 'url' } });
  await expect(refused('http://hooks.example/hook')).rejects.toThrow(/https/);
  await expect(refused('flow:nr/node')).rejects.toMatchObject({ details: { field: 'url' } });
  await expect(refused('https://not-there.test/')).resolves.toBeDefined();
  await expect(refused('http://127.0.0.1:9999/hook')).resolves.toBeDefined();
});

it('delivers to an inspector bin that exists', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint, secret } = await endpoints.create({
    ...CREATED,
    url: `inspector:${BIN_ID}`,
    headers: [
      { name: 'x-key', value: 'v', secret: true },
      { name: 'x-site', value: 'plant-7' },
    ],
  });
  expect(endpoint.kind).toBe('INSPECTOR');
  await expect(endpoints.create({ ...CREATED, url: 'inspector:bin_gone' })).rejects.toMatchObject({
    details: { field: 'url' },
    message: expect.stringMatching(/bin_gone/) as unknown,
  });
  const byAddress = await endpoints.create({ ...CREATED, url: `http://127.0.0.1:4000/inspect/${BIN_ID}` });
  expect(endpoints.deliveringTo(BIN_ID)).toEqual([
    { id: endpoint.id, secrets: [secret], secretHeaders: ['x-key'] },
    { id: byAddress.endpoint.id, secrets: [byAddress.secret], secretHeaders: [] },
  ]);
  await endpoints.remove(endpoint.id);
  expect(endpoints.deliveringTo(BIN_ID).map(({ id }) => id)).toEqual([byAddress.endpoint.id]);
});

it('changes what an update gives and leaves the rest', async () => {
  const { start, clock, vetted } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create({ ...CREATED, description: 'line 4' });
  clock.advance(1000);
  const updated = await endpoints.update(endpoint.id, {
    events: ['*'],
    timeoutSeconds: 2.5,
    retrySchedule: ['0s', '1m'],
  });
  expect(updated).toEqual({
    ...endpoint,
    events: ['*'],
    timeoutSeconds: 2.5,
    retrySchedule: ['0s', '1m'],
    updatedAt: clock.now(),
  });
  expect(await endpoints.update(endpoint.id, { retrySchedule: null })).toMatchObject({ retrySchedule: null });
  expect(vetted).toEqual([URL]);
  expect(await endpoints.update(endpoint.id, { url: `inspector:${BIN_ID}` })).toMatchObject({
    kind: 'INSPECTOR',
  });
  await expect(endpoints.update(endpoint.id, { url: 'http://10.0.0.1/' })).rejects.toMatchObject({
    details: { field: 'url' },
  });
});

it('writes nothing for an update that changes nothing', async () => {
  const { start, clock, records } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create({
    ...CREATED,
    headers: [{ name: 'x-key', value: 'v', secret: true }],
  });
  const before = records.commits;
  clock.advance(1000);
  const same: EndpointInput = { ...CREATED, headers: endpoint.headers };
  expect(await endpoints.update(endpoint.id, same)).toEqual(endpoint);
  expect(records.commits).toBe(before);
});

it('loses neither of two updates made at the same time, in one process or in two', async () => {
  const { start } = createEndpointWorld();
  await using here = await start();
  await using there = await start();
  const { endpoint } = await here.create(CREATED);
  await vi.waitFor(() => expect(there.find(endpoint.id)).not.toBeNull());
  await Promise.all([
    here.update(endpoint.id, { description: 'one' }),
    here.update(endpoint.id, { maxConcurrency: 7 }),
    there.update(endpoint.id, { timeoutSeconds: 9 }),
    there.update(endpoint.id, { paused: true }),
  ]);
  const all = { description: 'one', maxConcurrency: 7, timeoutSeconds: 9, paused: true };
  await vi.waitFor(() => expect(here.find(endpoint.id)).toMatchObject(all));
  await vi.waitFor(() => expect(there.find(endpoint.id)).toEqual(here.find(endpoint.id)));
});

it('keeps kind and URL together where a process has not heard yet that another moved an endpoint', async () => {
  const { start } = createEndpointWorld();
  await using here = await start();
  const { endpoint } = await here.create(CREATED);
  const there = await start();
  // From here on it hears nothing.
  await there[Symbol.asyncDispose]();
  await here.update(endpoint.id, { url: `inspector:${BIN_ID}` });
  expect(there.find(endpoint.id)).toMatchObject({ kind: 'WEBHOOK' });
  const both = { kind: 'INSPECTOR', url: `inspector:${BIN_ID}`, description: 'line 4' };
  expect(await there.update(endpoint.id, { description: 'line 4' })).toMatchObject(both);
});

it('retires what is deleted: out of the lists, found by id, changed no more', async () => {
  const { start, clock } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create(CREATED);
  expect(await endpoints.remove(endpoint.id)).toBe(true);
  expect(await endpoints.remove(endpoint.id)).toBe(false);
  expect(await endpoints.remove('ep_unknown')).toBe(false);
  expect(endpoints.list()).toEqual([]);
  expect(endpoints.active()).toEqual([]);
  expect(endpoints.find(endpoint.id)).toMatchObject({ retiredAt: clock.now() });
  expect(endpoints.runtime(endpoint.id)).not.toBeNull();
  await expect(endpoints.update(endpoint.id, { active: true })).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(endpoints.rotateSecret(endpoint.id)).rejects.toMatchObject({ code: 'CONFLICT' });
});

it('names what is not there', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  expect(endpoints.find('ep_unknown')).toBeNull();
  expect(endpoints.runtime('ep_unknown')).toBeNull();
  for (const asked of [
    endpoints.update('ep_unknown', {}),
    endpoints.rotateSecret('ep_unknown'),
    endpoints.disable('ep_unknown', 'gone'),
  ]) {
    await expect(asked).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/ep_unknown/) as unknown,
    });
  }
});

it('goes on signing with the old secret beside the new one until the overlap ends', async () => {
  const { start, clock } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint, secret: first } = await endpoints.create(CREATED);
  const { secret: second } = await endpoints.rotateSecret(endpoint.id);
  clock.advance(HOUR_MS);
  const { secret: third } = await endpoints.rotateSecret(endpoint.id, 60);
  const secrets = () => endpoints.runtime(endpoint.id)!.secrets(clock.now());
  expect(secrets()).toEqual({ current: third, old: [first, second], privateKey: null });
  expect(secrets()).toBe(secrets());
  clock.advance(60_000);
  expect(secrets()).toEqual({ current: third, old: [first], privateKey: null });
  clock.advance(24 * HOUR_MS);
  expect(secrets()).toEqual({ current: third, old: [], privateKey: null });
});

it('ends every older secret at once where the overlap is 0, and where a secret is given', async () => {
  const { start, clock } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create(CREATED);
  await endpoints.rotateSecret(endpoint.id);
  const { secret } = await endpoints.rotateSecret(endpoint.id, 0);
  const secrets = () => endpoints.runtime(endpoint.id)!.secrets(clock.now());
  expect(secrets()).toEqual({ current: secret, old: [], privateKey: null });
  await endpoints.rotateSecret(endpoint.id);
  await endpoints.update(endpoint.id, { secret: 'shared-with-the-receiver' });
  expect(secrets()).toEqual({ current: 'shared-with-the-receiver', old: [], privateKey: null });
});

it('refuses an overlap out of range, and more old secrets than a header should list', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create(CREATED);
  for (const overlap of [-1, 2_592_001, Number.NaN]) {
    await expect(endpoints.rotateSecret(endpoint.id, overlap)).rejects.toMatchObject({
      details: { field: 'overlapSeconds' },
    });
  }
  for (let time = 0; time < 8; time += 1) await endpoints.rotateSecret(endpoint.id);
  await expect(endpoints.rotateSecret(endpoint.id)).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(endpoints.rotateSecret(endpoint.id, 0)).resolves.toBeDefined();
});

it('keeps the list of those that get new deliveries until something changes', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint: first } = await endpoints.create(CREATED);
  const { endpoint: second } = await endpoints.create(CREATED);
  const list = endpoints.active();
  expect(list.map((runtime) => runtime.endpoint.id)).toEqual([first.id, second.id]);
  expect(endpoints.active()).toBe(list);
  await endpoints.update(first.id, { paused: true });
  expect(endpoints.active()).not.toBe(list);
  expect(endpoints.active()).toHaveLength(2);
  await endpoints.update(first.id, { active: false });
  expect(endpoints.active().map((runtime) => runtime.endpoint.id)).toEqual([second.id]);
});

it('tells how every lane may run at once, and of each change to it, wherever it was made', async () => {
  const { start } = createEndpointWorld();
  await using here = await start();
  const { endpoint: kept } = await here.create(CREATED);
  const { endpoint: gone } = await here.create({ ...CREATED, maxConcurrency: 4 });
  await here.remove(gone.id);
  await using there = await start();
  const told: LaneSettings[] = [];
  there.onLanes((lanes) => told.push(...lanes));
  expect(told).toEqual([
    { endpointId: kept.id, held: false, maxConcurrency: 32, ratePerSecond: null },
    { endpointId: gone.id, held: false, maxConcurrency: 4, ratePerSecond: null },
  ]);
  told.length = 0;
  await here.update(kept.id, { description: 'no matter for lanes' });
  await here.update(kept.id, { paused: true });
  await here.update(kept.id, { paused: false, maxConcurrency: 3 });
  await here.disable(kept.id, 'gone');
  const expected = [
    { endpointId: kept.id, held: true, maxConcurrency: 32, ratePerSecond: null },
    { endpointId: kept.id, held: false, maxConcurrency: 3, ratePerSecond: null },
    { endpointId: kept.id, held: true, maxConcurrency: 3, ratePerSecond: null },
  ];
  await vi.waitFor(() => expect(told).toEqual(expected));
});

it('says why it switched an endpoint off, until a person switches it on again', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create(CREATED);
  await endpoints.disable(endpoint.id, 'gone');
  const off = { active: false, disabledReason: 'gone' };
  expect(endpoints.find(endpoint.id)).toMatchObject(off);
  await endpoints.disable(endpoint.id, 'failing_too_long');
  expect(await endpoints.update(endpoint.id, { description: 'line 4' })).toMatchObject(off);
  const on = { active: true, disabledReason: null };
  expect(await endpoints.update(endpoint.id, { active: true })).toMatchObject(on);
});

it('gives no reason where a person switched an endpoint off first', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create({ ...CREATED, active: false });
  await endpoints.disable(endpoint.id, 'gone');
  expect(endpoints.find(endpoint.id)).toMatchObject({ active: false, disabledReason: null });
});

it('is the same after a restart', async () => {
  const { start, clock } = createEndpointWorld();
  const before = await start();
  const { endpoint, secret: old } = await before.create({
    ...CREATED,
    url: 'https://hook.eu1.make.com/abc',
    retrySchedule: ['0s', '1.5s', '7d'],
    headers: [{ name: 'x-key', value: 'v', secret: true }],
  });
  const { secret } = await before.rotateSecret(endpoint.id);
  const { endpoint: gone } = await before.create(CREATED);
  await before.remove(gone.id);
  const shown = [before.find(endpoint.id), before.find(gone.id)];
  await before[Symbol.asyncDispose]();
  await using after = await start();
  expect([after.find(endpoint.id), after.find(gone.id)]).toEqual(shown);
  expect(after.list().map(({ id }) => id)).toEqual([endpoint.id]);
  const runtime = after.runtime(endpoint.id)!;
  expect(runtime.secrets(clock.now())).toEqual({ current: secret, old: [old], privateKey: null });
  expect(runtime).toMatchObject({ pool: 'push', schedule: [0, 1500, 604_800_000] });
});

it('shows in one process what was made in another', async () => {
  const { start, clock } = createEndpointWorld();
  await using here = await start();
  await using there = await start();
  const { endpoint, secret } = await here.create(CREATED);
  await vi.waitFor(() => expect(there.list()).toEqual([endpoint]));
  expect(there.runtime(endpoint.id)!.secrets(clock.now()).current).toBe(secret);
});
