import { expect, it } from 'vitest';
import type { EndpointInput, FlowEndpointInput } from '../../gateway/services.ts';
import { createEndpointWorld } from '../support/endpoint-registry.ts';

const event = (type: string, rest: { machine?: { id: string; group?: string }; test?: boolean } = {}) => ({
  type,
  machine: rest.machine ?? null,
  test: rest.test ?? false,
});

async function matcherOf(input: EndpointInput) {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const { endpoint } = await endpoints.create({ url: 'https://hooks.example', events: ['*'], ...input });
  return endpoints.runtime(endpoint.id)!.matches;
}

async function flowMatcherOf(input: Partial<FlowEndpointInput>) {
  const { start } = createEndpointWorld();
  await using endpoints = await start();
  const [made] = await endpoints.declare('owner', [{ key: 'n1', kind: 'FLOW', events: ['*'], ...input }]);
  return endpoints.runtime(made!.endpoint.id)!.matches;
}

it('goes by exact names, families and everything but operational events', async () => {
  const matches = await matcherOf({ events: ['work_order.*', 'quality.ncr_created'] });
  expect(matches(event('work_order.created'))).toBe(true);
  expect(matches(event('quality.ncr_created'))).toBe(true);
  expect(matches(event('quality.inspection_complete'))).toBe(false);
  const all = await matcherOf({ events: ['*'] });
  expect(all(event('whatever'))).toBe(true);
  expect(all(event('hookline.delivery.failed'))).toBe(false);
});

it('goes by machines and by groups: either is enough, and an event without a machine is not', async () => {
  const matches = await matcherOf({ machines: ['m1'], machineGroups: ['cnc'] });
  expect(matches(event('a', { machine: { id: 'm1' } }))).toBe(true);
  expect(matches(event('a', { machine: { id: 'm2', group: 'cnc' } }))).toBe(true);
  expect(matches(event('a', { machine: { id: 'm2', group: 'lathes' } }))).toBe(false);
  expect(matches(event('a', { machine: { id: 'm2' } }))).toBe(false);
  expect(matches(event('a'))).toBe(false);
});

it('sends test events to webhooks, and to flows only where they ask', async () => {
  const test = event('work_order.created', { test: true, machine: { id: 'm1' } });
  expect((await matcherOf({}))(test)).toBe(true);
  expect((await matcherOf({ machines: ['m1'] }))(test)).toBe(true);
  expect((await flowMatcherOf({}))(test)).toBe(false);
  expect((await flowMatcherOf({ machines: ['m1'] }))(test)).toBe(false);
  expect((await flowMatcherOf({ includeTest: true }))(test)).toBe(true);
  expect((await flowMatcherOf({}))({ ...test, test: false })).toBe(true);
});

it('sends nothing to an endpoint that subscribes to nothing', async () => {
  const matches = await flowMatcherOf({ events: [] });
  expect(matches(event('work_order.created'))).toBe(false);
});
