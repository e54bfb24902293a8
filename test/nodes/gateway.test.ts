import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFakeGateway } from './support/fake-gateway.ts';
import type { FakeGateway } from './support/fake-gateway.ts';
import { gatewayFor, onTab, startFlow, tab } from './support/flow-harness.ts';
import type { TestFlow } from './support/flow-harness.ts';

let gateway: FakeGateway;
let flow: TestFlow | undefined;

beforeEach(async () => {
  gateway = await startFakeGateway();
});

afterEach(async () => {
  await flow?.[Symbol.asyncDispose]();
  flow = undefined;
  await gateway[Symbol.asyncDispose]();
});

const event = onTab('ev', 'hookline-event', [[]], { gateway: 'gw', events: ['*'] });
const publish = onTab('pub', 'hookline-publish', [[]], { gateway: 'gw' });
const OURS = '@hookline/node-red/hookline-gateway:hookline-gateway.status';

describe('the nodes of a gateway', () => {
  it.each([
    ['no key', { url: 'http://127.0.0.1:1' }, {}],
    ['no address', {}, { key: 'sk-x' }],
    ['an address that is none', { url: 'mes-server' }, { key: 'sk-x' }],
  ])('say that it has %s', async (_what, settings, secrets) => {
    flow = await startFlow([tab, { id: 'gw', type: 'hookline-gateway', ...settings }, event], {
      gw: secrets,
    });
    await flow.status('ev', `${OURS}.notConfigured`);
  });

  it('say that its key is refused', async () => {
    flow = await startFlow([tab, { id: 'gw', type: 'hookline-gateway', url: gateway.url }, event], {
      gw: { key: 'sk-wrong' },
    });
    await flow.status('ev', `${OURS}.keyRefused`);
  });

  it('say that it does not answer, and come back by themselves', async () => {
    const { node, credentials } = gatewayFor(gateway);
    await gateway.suspend();
    flow = await startFlow([tab, node, event, publish], credentials);
    await flow.status('ev', 'node-red:common.status.disconnected');
    await flow.status('pub', 'node-red:common.status.disconnected');
    await gateway.resume();
    await flow.status('ev', 'hookline-event.status.waiting');
  });

  it('are declared again when the connection was lost', async () => {
    const { node, credentials } = gatewayFor(gateway);
    flow = await startFlow([tab, node, event], credentials);
    await gateway.until('the subscription', () => gateway.consumers.length === 1);
    gateway.dropConnections();
    await gateway.until('the second declaration', () => gateway.applied.length === 2);
    expect(gateway.applied[1]).toEqual(gateway.applied[0]);
  });

  it('are declared again when the gateway does not know one of them', async () => {
    gateway.failures.push({ field: 'work', code: 'NOT_FOUND' });
    const { node, credentials } = gatewayFor(gateway);
    flow = await startFlow([tab, node, event], credentials);
    await gateway.until('the subscription', () => gateway.consumers.length === 1);
    expect(gateway.applied.length).toBeGreaterThanOrEqual(2);
  });

  it('are retired when the gateway node is deleted with them', async () => {
    const { node, credentials } = gatewayFor(gateway);
    flow = await startFlow([tab, node, event], credentials);
    await gateway.until('the subscription', () => gateway.consumers.length === 1);
    await flow.deploy([tab], {});
    await gateway.until('the farewell', () => gateway.applied.length === 2);
    expect(gateway.applied[1]).toEqual({ owner: 'gw', endpoints: [] });
    expect(gateway.consumers[0]!.ended).toBe('completed');
  });

  it('stop at once while the gateway is away', async () => {
    const { node, credentials } = gatewayFor(gateway);
    flow = await startFlow([tab, node, event], credentials);
    await gateway.until('the subscription', () => gateway.consumers.length === 1);
    await gateway.suspend();
    const before = performance.now();
    await flow[Symbol.asyncDispose]();
    flow = undefined;
    expect(performance.now() - before).toBeLessThan(1000);
  });
});

describe('a gateway node that nothing uses', () => {
  it('asks for nothing', async () => {
    const { node, credentials } = gatewayFor(gateway);
    flow = await startFlow([tab, node, onTab('v', 'hookline-verify', [[], []], {})], credentials);
    await flow.status('v', 'hookline-verify.status.noSecret');
    expect(gateway.applied).toEqual([]);
    expect(gateway.connections).toBe(0);
  });
});
