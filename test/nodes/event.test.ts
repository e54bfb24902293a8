import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeEvent, startFakeGateway } from './support/fake-gateway.ts';
import type { FakeGateway } from './support/fake-gateway.ts';
import { gatewayFor, onTab, recorder, startFlow, tab } from './support/flow-harness.ts';
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

/** A flow that begins with one event node, wired to the first of the nodes given. */
async function startEventFlow(
  nodes: object[],
  settings: object = {},
  wires = [[(nodes[0] as { id: string }).id]],
): Promise<TestFlow> {
  const { node, credentials } = gatewayFor(gateway);
  const event = onTab('ev', 'hookline-event', wires, { gateway: 'gw', events: ['*'], ...settings });
  flow = await startFlow([tab, node, event, ...nodes], credentials);
  return flow;
}

const settlements = (): Record<string, unknown>[] => gateway.settled.flat();

describe('an event node', () => {
  it('declares itself with what was entered', async () => {
    await startEventFlow([recorder('r')], {
      events: ['work_order.*'],
      machines: ' cnc-01, cnc-02 ,',
      startFrom: 'oldest',
      includeTest: true,
      prefetch: '3',
    });
    await gateway.until('the subscription', () => gateway.consumers.length === 1);
    expect(gateway.applied).toEqual([
      {
        owner: 'gw',
        endpoints: [
          {
            key: 'ev',
            kind: 'FLOW',
            description: 'mes event (Line 4)',
            events: ['work_order.*'],
            machines: ['cnc-01', 'cnc-02'],
            includeTest: true,
            startFrom: 'oldest',
          },
        ],
      },
    ]);
    expect(gateway.consumers[0]).toMatchObject({ endpointId: 'ep_ev', prefetch: 3 });
  });

  it('sends the event on in the form that flows know', async () => {
    const { until, received } = await startEventFlow([recorder('r')]);
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '5', attempt: 2 });
    await until('the message', () => received('r').length === 1);
    const [msg] = received('r');
    expect(msg).toMatchObject({
      topic: 'work_order.created',
      payload: { workOrder: { id: 'wo-123', quantity: 100 } },
      event: {
        id: 'evt-123',
        type: 'work_order.created',
        source: 'mes',
        machine: null,
        test: false,
        hops: 0,
      },
      hookline: { deliveryId: 'dlv_1', attempt: 2, endpointId: 'ep_ev' },
    });
    expect(msg!.payload).not.toBe(msg!.event!.data);
  });

  it('says how many it received', async () => {
    const { status } = await startEventFlow([recorder('r')]);
    expect(await status('ev', 'hookline-event.status.waiting')).toMatchObject({
      fill: 'green',
      shape: 'ring',
    });
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '5' });
    await status('ev', 'hookline-event.status.received');
  });

  it('gives each type its own output where asked', async () => {
    const wires = [['created'], ['quality'], ['rest']];
    const { until, received } = await startEventFlow(
      [recorder('created'), recorder('quality'), recorder('rest')],
      { events: ['work_order.created', 'quality.*', '*'], perType: true, outputs: 3 },
      wires,
    );
    const types = ['work_order.created', 'quality.ncr_created', 'operation.started'];
    for (const [index, type] of types.entries()) {
      gateway.give('ep_ev', { deliveryId: `dlv_${index}`, token: '1', event: fakeEvent({ type }) });
    }
    await until(
      'all',
      () => received('created').length + received('quality').length + received('rest').length === 3,
    );
    expect(received('created').map(({ topic }) => topic)).toEqual(['work_order.created']);
    expect(received('quality').map(({ topic }) => topic)).toEqual(['quality.ncr_created']);
    expect(received('rest').map(({ topic }) => topic)).toEqual(['operation.started']);
  });

  it('says that it names no gateway', async () => {
    flow = await startFlow([tab, onTab('ev', 'hookline-event', [], { gateway: '' })]);
    await flow.status('ev', '@hookline/node-red/hookline-gateway:hookline-gateway.status.noGateway');
  });
});

describe('an event is settled', () => {
  it('as soon as it was sent on, where asked', async () => {
    await startEventFlow(
      [onTab('hold', 'delay', [[]], { pauseType: 'delay', timeout: '1', timeoutUnits: 'hours' })],
      { settle: 'sent' },
    );
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '5' });
    await gateway.until('the settlement', () => settlements().length === 1);
    expect(settlements()).toEqual([{ deliveryId: 'dlv_1', token: '5', outcome: 'SUCCEEDED' }]);
  });

  it('at once where nothing is wired to it', async () => {
    await startEventFlow([recorder('r')], {}, [[]]);
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '5' });
    await gateway.until('the settlement', () => settlements().length === 1);
  });

  it('when the last branch has ended', async () => {
    const { until, received } = await startEventFlow(
      [
        onTab('slow', 'function', [['r']], {
          func: 'setTimeout(() => { node.send(msg); node.done(); }, 30)',
          outputs: 1,
        }),
        recorder('quick'),
        recorder('r'),
      ],
      {},
      [['quick', 'slow']],
    );
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '5' });
    await until('the quick branch', () => received('quick').length === 1);
    expect(settlements()).toEqual([]);
    await gateway.until('the settlement', () => settlements().length === 1);
    expect(received('r')).toHaveLength(1);
    expect(settlements()[0]).toMatchObject({ outcome: 'SUCCEEDED' });
  });

  it('as failed, with the error, when a node reports one', async () => {
    const { status } = await startEventFlow([
      onTab('fn', 'function', [[]], {
        func: 'const e = new Error("disk is full"); e.code = "ENOSPC"; throw e;',
        outputs: 1,
      }),
    ]);
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '5' });
    await gateway.until('the settlement', () => settlements().length === 1);
    expect(settlements()[0]).toMatchObject({
      outcome: 'FAILED',
      error: { message: expect.stringContaining('disk is full') },
    });
    await status('ev', 'hookline-event.status.failed');
  });

  it('under its new lease where the connection was lost meanwhile, without running the flow twice', async () => {
    const { until, received, send } = await startEventFlow(
      [
        onTab('hold', 'delay', [['r']], { pauseType: 'delay', timeout: '1', timeoutUnits: 'hours' }),
        recorder('r'),
        recorder('seen'),
      ],
      {},
      [['hold', 'seen']],
    );
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '5' });
    await until('the flow', () => received('seen').length === 1);
    gateway.dropConnections();
    await gateway.until('the second subscription', () => gateway.consumers.length === 2);
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '6', attempt: 2 });
    gateway.give('ep_ev', { deliveryId: 'dlv_2', token: '7' });
    await until('the next event', () => received('seen').length === 2);
    send('hold', { flush: true });
    await gateway.until('both settlements', () => settlements().length === 2);
    expect(settlements().map(({ deliveryId, token }) => [deliveryId, token])).toEqual([
      ['dlv_1', '6'],
      ['dlv_2', '7'],
    ]);
    expect(received('seen').map(({ hookline }) => (hookline as { deliveryId: string }).deliveryId)).toEqual([
      'dlv_1',
      'dlv_2',
    ]);
  });
});

describe('a deploy', () => {
  it('hands back what is open, and says so before it leaves', async () => {
    const { node, credentials } = gatewayFor(gateway);
    const started = await startEventFlow([
      onTab('hold', 'delay', [[]], { pauseType: 'delay', timeout: '1', timeoutUnits: 'hours' }),
    ]);
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '5' });
    await started.status('ev', 'hookline-event.status.received');
    await started.deploy([tab, node], credentials);
    await gateway.until('the end', () => gateway.consumers[0]!.ended === 'completed');
    expect(settlements()).toEqual([]);
    await gateway.until('the retirement', () => gateway.applied.length === 2);
    expect(gateway.applied[1]).toEqual({ owner: 'gw', endpoints: [] });
  });

  it('waits for the answer to a settlement before it leaves', async () => {
    const { node, credentials } = gatewayFor(gateway);
    const answer = Promise.withResolvers<void>();
    gateway.beforeSettling = answer.promise;
    const started = await startEventFlow([recorder('r')], { settle: 'sent' });
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '5' });
    await gateway.until('the settlement', () => settlements().length === 1);
    const deploying = started.deploy([tab, node], credentials);
    // Leaving at once would reach the gateway before this question that is asked after it.
    await fetch(`${gateway.url}/graphql`, { method: 'POST' });
    expect(gateway.consumers[0]!.ended).toBeNull();
    answer.resolve();
    await deploying;
    await gateway.until('the end', () => gateway.consumers[0]!.ended === 'completed');
  });

  it('that does not change what is declared declares nothing', async () => {
    const { node, credentials } = gatewayFor(gateway);
    const event = onTab('ev', 'hookline-event', [['r']], { gateway: 'gw', events: ['*'] });
    flow = await startFlow([tab, node, event, recorder('r')], credentials);
    await gateway.until('the subscription', () => gateway.consumers.length === 1);
    await flow.deploy([tab, node, event, recorder('r'), recorder('another')]);
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '5' });
    await gateway.until('the settlement', () => settlements().length === 1);
    expect(gateway.applied).toHaveLength(1);
    expect(gateway.consumers).toHaveLength(1);
  });

  it('that replaces a node which held a message makes the event fail, so that it comes again', async () => {
    const { node, credentials } = gatewayFor(gateway);
    const event = onTab('ev', 'hookline-event', [['hold']], { gateway: 'gw', events: ['*'] });
    const hold = (timeout: string): object =>
      onTab('hold', 'delay', [[]], { pauseType: 'delay', timeout, timeoutUnits: 'hours' });
    flow = await startFlow([tab, node, event, hold('1')], credentials);
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '5' });
    await flow.status('ev', 'hookline-event.status.received');
    await flow.deploy([tab, node, event, hold('2')]);
    await gateway.until('the settlement', () => settlements().length === 1);
    expect(settlements()[0]).toMatchObject({ outcome: 'FAILED', error: { code: 'FLOW_REDEPLOYED' } });
  });
});
