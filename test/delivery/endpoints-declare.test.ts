import { expect, it, vi } from 'vitest';
import type { FlowEndpointInput } from '../../gateway/services.ts';
import { createEndpointWorld } from '../support/endpoint-registry.ts';

const OWNER = 'node-red-1';
const flow = (key: string, rest: Partial<FlowEndpointInput> = {}): FlowEndpointInput => ({
  key,
  kind: 'FLOW',
  events: ['work_order.*'],
  ...rest,
});
const webhook = (key: string, rest: Partial<FlowEndpointInput> = {}): FlowEndpointInput => ({
  key,
  kind: 'WEBHOOK',
  url: `https://hooks.example/${key}`,
  ...rest,
});

it('makes an endpoint of each node, with ids that the next deploy finds again', async () => {
  const { start, clock } = createEndpointWorld();
  await using endpoints = await start();
  const [event, sender] = await endpoints.declare(OWNER, [flow('n1'), webhook('n2', { results: true })]);
  expect(event).toMatchObject({ key: 'n1', secret: null, resultsEndpointId: null, created: true });
  expect(event!.endpoint).toMatchObject({
    kind: 'FLOW',
    url: 'flow:node-red-1/n1',
    declaredBy: { owner: OWNER, key: 'n1' },
  });
  expect(endpoints.runtime(event!.endpoint.id)!.pool).toBe(event!.endpoint.id);
  expect(sender).toMatchObject({
    key: 'n2',
    secret: expect.stringMatching(/^whsec_/) as unknown,
    created: true,
  });
  const results = endpoints.find(sender!.resultsEndpointId!);
  expect(results).toMatchObject({
    kind: 'FLOW',
    events: [],
    declaredBy: { owner: OWNER, key: 'n2:results' },
  });
  expect(sender!.endpoint).toMatchObject({ kind: 'WEBHOOK', resultsTo: results!.id });
  expect(endpoints.runtime(results!.id)!.secrets(clock.now())).toEqual({
    current: '',
    old: [],
    privateKey: null,
  });
});

it('writes nothing, asks no DNS and shows no secret where the same is declared again, also after a restart', async () => {
  const { start, records, vetted, clock } = createEndpointWorld();
  const inputs = [
    flow('n1', { includeTest: true, machines: ['m1'] }),
    webhook('n2', {
      results: true,
      secret: 'shared-with-the-receiver',
      urlIsSecret: true,
      headers: [{ name: 'X-Key', value: 'v', secret: true }],
    }),
  ];
  const before = await start();
  const first = await before.declare(OWNER, inputs);
  const commits = records.commits;
  clock.advance(60_000);
  const again = await before.declare(OWNER, inputs);
  expect(again).toEqual(first.map((applied) => ({ ...applied, secret: null, created: false })));
  await before[Symbol.asyncDispose]();
  await using after = await start();
  expect(await after.declare(OWNER, inputs)).toEqual(again);
  expect(records.commits).toBe(commits);
  expect(vetted).toHaveLength(1);
});

it('retires what vanished from the flow and takes it back when it comes back, secret and all', async () => {
  const { start, clock } = createEndpointWorld();
  await using endpoints = await start();
  const [made] = await endpoints.declare(OWNER, [webhook('n2', { results: true })]);
  const { current } = endpoints.runtime(made!.endpoint.id)!.secrets(clock.now());
  expect(await endpoints.declare(OWNER, [])).toEqual([]);
  expect(endpoints.find(made!.endpoint.id)).toMatchObject({ retiredAt: clock.now() });
  expect(endpoints.find(made!.resultsEndpointId!)).toMatchObject({ retiredAt: clock.now() });
  expect(endpoints.list()).toEqual([]);
  const [back] = await endpoints.declare(OWNER, [webhook('n2')]);
  expect(back).toMatchObject({ secret: null, resultsEndpointId: null, created: false });
  expect(back!.endpoint).toMatchObject({ id: made!.endpoint.id, retiredAt: null, resultsTo: null });
  expect(endpoints.runtime(back!.endpoint.id)!.secrets(clock.now()).current).toBe(current);
  expect(endpoints.find(made!.resultsEndpointId!)).toMatchObject({ retiredAt: clock.now() });
});

it('touches nothing of other owners, nor what people made', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create({ url: 'https://hooks.example/x', events: ['*'] });
  const [other] = await endpoints.declare('node-red-2', [flow('n1')]);
  const [own] = await endpoints.declare(OWNER, [flow('n1')]);
  expect(own!.endpoint.id).not.toBe(other!.endpoint.id);
  await endpoints.declare(OWNER, []);
  expect(endpoints.list().map(({ id }) => id)).toEqual([endpoint.id, other!.endpoint.id]);
});

it('never undoes with a deploy what was switched in the console', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const [made] = await endpoints.declare(OWNER, [flow('n1', { active: false })]);
  const { id } = made!.endpoint;
  expect(made!.endpoint.active).toBe(false);
  await endpoints.update(id, { active: true, paused: true });
  await endpoints.declare(OWNER, [flow('n1', { active: false, paused: false, events: ['*'] })]);
  expect(endpoints.find(id)).toMatchObject({ active: true, paused: true, events: ['*'] });
});

it('never undoes a rotation with a deploy, but takes a secret that is new in the flow', async () => {
  const { start, clock } = createEndpointWorld();
  await using endpoints = await start();
  const declare = (secret?: string) =>
    endpoints.declare(OWNER, [webhook('n2', secret === undefined ? {} : { secret })]);
  const [made] = await declare('first-secret-of-the-node');
  const { id } = made!.endpoint;
  expect(made!.secret).toBe('first-secret-of-the-node');
  const { secret: rotated } = await endpoints.rotateSecret(id);
  expect((await declare('first-secret-of-the-node'))[0]!.secret).toBeNull();
  const secrets = () => endpoints.runtime(id)!.secrets(clock.now());
  expect(secrets()).toEqual({
    current: rotated,
    old: ['first-secret-of-the-node'],
    privateKey: null,
  });
  expect((await declare('second-secret-of-the-node'))[0]!.secret).toBe('second-secret-of-the-node');
  expect(secrets()).toEqual({ current: 'second-secret-of-the-node', old: [], privateKey: null });
  expect((await declare())[0]!.secret).toBeNull();
  expect(secrets().current).toBe('second-secret-of-the-node');
});

it('puts back at its default what a flow no longer says', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  await endpoints.declare(OWNER, [
    webhook('n2', { timeoutSeconds: 9, description: 'x', retrySchedule: ['0s'] }),
  ]);
  const [again] = await endpoints.declare(OWNER, [webhook('n2')]);
  expect(again!.endpoint).toMatchObject({ timeoutSeconds: 5, description: '', retrySchedule: null });
});

it('takes all of a declaration or nothing, and names the field at fault', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const cases: [FlowEndpointInput[], string][] = [
    [[flow('n1'), webhook('n2', { url: 'http://10.0.0.1/' })], 'endpoints.1.url'],
    [[flow('n1'), { key: 'n2', kind: 'WEBHOOK' }], 'endpoints.1.url'],
    [[flow('n1'), flow('n1')], 'endpoints.1.key'],
    [[webhook('n1', { results: true }), flow('n1:results')], 'endpoints.1.key'],
    [[flow('')], 'endpoints.0.key'],
    [[flow('n1', { url: 'https://hooks.example/' })], 'endpoints.0.url'],
    [[flow('n1', { secret: 'x'.repeat(32) })], 'endpoints.0.secret'],
    [[flow('n1', { events: ['a', '*.b'] })], 'endpoints.0.events.1'],
    [[{ ...flow('n1'), kind: 'SLACK' as 'FLOW' }], 'endpoints.0.kind'],
    [Array.from({ length: 1001 }, (_, index) => flow(`n${index}`)), 'endpoints'],
  ];
  for (const [inputs, field] of cases) {
    await expect(endpoints.declare(OWNER, inputs), field).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      details: { field },
    });
  }
  await expect(endpoints.declare('', [])).rejects.toMatchObject({ details: { field: 'owner' } });
  expect(endpoints.list()).toEqual([]);
});

it('refuses a key that changes from flow to webhook: the history of the two would mix', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  await endpoints.declare(OWNER, [flow('n1')]);
  await expect(endpoints.declare(OWNER, [webhook('n1')])).rejects.toMatchObject({
    details: { field: 'endpoints.0.kind' },
  });
});

it('lets the console change a flow, but not where it goes', async () => {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const [made] = await endpoints.declare(OWNER, [flow('n1')]);
  const { id } = made!.endpoint;
  expect(await endpoints.update(id, { paused: true, maxConcurrency: 2 })).toMatchObject({
    paused: true,
    kind: 'FLOW',
  });
  await expect(endpoints.update(id, { secret: 'x'.repeat(32) })).rejects.toMatchObject({
    details: { field: 'secret' },
  });
  await expect(endpoints.update(id, { url: 'https://hooks.example/' })).rejects.toMatchObject({
    details: { field: 'url' },
  });
  await expect(endpoints.rotateSecret(id)).rejects.toMatchObject({ code: 'CONFLICT' });
});

it('comes to the same where two processes declare the same at the same time', async () => {
  const { start } = createEndpointWorld();
  await using here = await start();
  await using there = await start();
  const inputs = [flow('n1'), webhook('n2', { results: true })];
  const results = await Promise.all([here.declare(OWNER, inputs), there.declare(OWNER, inputs)]);
  expect(results[0].map(({ endpoint }) => endpoint)).toEqual(results[1].map(({ endpoint }) => endpoint));
  expect(results.flat().filter(({ created }) => created)).toHaveLength(2);
  expect(results.flat().filter(({ secret }) => secret !== null)).toHaveLength(1);
  await vi.waitFor(() => expect(there.list()).toEqual(here.list()));
  expect(here.list()).toHaveLength(3);
});
