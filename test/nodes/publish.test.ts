import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeEvent, startFakeGateway } from './support/fake-gateway.ts';
import type { FakeGateway } from './support/fake-gateway.ts';
import { gatewayFor, onTab, recorder, startFlow, tab } from './support/flow-harness.ts';
import type { TestFlow } from './support/flow-harness.ts';
import type { FlowEvent } from '../../nodes/client/flow-event.ts';

let gateway: FakeGateway;
let flow: TestFlow;

beforeEach(async () => {
  gateway = await startFakeGateway();
});

afterEach(async () => {
  await flow[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

/** A publish node with a recorder for what goes on, what is complete and what a Catch node gets. */
async function startPublishFlow(settings: object = {}): Promise<void> {
  const { node, credentials } = gatewayFor(gateway);
  flow = await startFlow(
    [
      tab,
      node,
      onTab('pub', 'hookline-publish', [['out']], { gateway: 'gw', ...settings }),
      recorder('out'),
      onTab('complete', 'complete', [['completed']], { scope: ['pub'] }),
      recorder('completed'),
      onTab('catch', 'catch', [['caught']], { scope: ['pub'] }),
      recorder('caught'),
    ],
    credentials,
  );
}

const cause = (over: Partial<FlowEvent> = {}): FlowEvent => ({
  ...(fakeEvent({ source: 'mes' }) as unknown as FlowEvent),
  ...over,
});

describe('a publish node', () => {
  it('publishes topic and payload, and sends the stored event on with the rest of the message', async () => {
    await startPublishFlow();
    flow.send('pub', { topic: 'quality.ncr_created', payload: { ncr: { id: 'n1' } }, extra: 'kept' });
    await flow.until('the end', () => flow.received('completed').length === 1);
    expect(gateway.published).toEqual([
      {
        id: expect.stringMatching(/^evt_[\w-]{30,}$/),
        type: 'quality.ncr_created',
        data: { ncr: { id: 'n1' } },
        test: false,
        hops: 0,
      },
    ]);
    expect(flow.received('out')).toHaveLength(1);
    expect(flow.received('out')[0]).toMatchObject({
      payload: { ncr: { id: 'n1' } },
      extra: 'kept',
      event: { id: gateway.published[0]!['id'], type: 'quality.ncr_created', source: null },
    });
    await flow.status('pub', 'hookline-publish.status.published');
  });

  it('takes type, data, id and time from where it is told', async () => {
    await startPublishFlow({
      event: 'payload.type',
      eventType: 'msg',
      data: 'payload.data',
      dataType: 'msg',
      key: 'payload.id',
      keyType: 'msg',
      time: '$toMillis(payload.timestamp)',
      timeType: 'jsonata',
    });
    const payload = {
      id: 'evt-9',
      type: 'work_order.created',
      timestamp: '2024-01-15T10:30:00Z',
      data: { a: 1 },
    };
    flow.send('pub', { payload });
    await flow.until('the end', () => flow.received('completed').length === 1);
    expect(gateway.published).toEqual([
      {
        id: 'evt-9',
        type: 'work_order.created',
        timestamp: '2024-01-15T10:30:00.000Z',
        data: { a: 1 },
        test: false,
        hops: 0,
      },
    ]);
  });

  it('gives the same message of the same event the same id, and others another one', async () => {
    await startPublishFlow();
    for (const payload of [{ n: 1 }, { n: 1 }, { n: 2 }])
      flow.send('pub', { topic: 'a.b', payload, event: cause() });
    flow.send('pub', { topic: 'a.b', payload: { n: 1 } });
    flow.send('pub', { topic: 'a.b', payload: { n: 1 } });
    await flow.until('all', () => flow.received('completed').length === 5);
    const ids = gateway.published.map(({ id }) => id as string);
    expect(new Set(ids).size).toBe(4);
    expect(ids.filter((id) => ids.indexOf(id) !== ids.lastIndexOf(id))).toHaveLength(2);
  });

  it('counts a hop, and makes a test of what follows from a test', async () => {
    await startPublishFlow();
    flow.send('pub', { topic: 'a.b', payload: {}, event: cause({ hops: 2, test: true }) });
    await flow.until('the end', () => flow.received('completed').length === 1);
    expect(gateway.published[0]).toMatchObject({ hops: 3, test: true });
  });

  it('says what the catalogue finds odd, and publishes it all the same', async () => {
    await startPublishFlow();
    gateway.catalogue = { catalogued: false, schemaErrors: [] };
    flow.send('pub', { topic: 'a.b', payload: {} });
    expect(await flow.status('pub', 'hookline-publish.status.uncatalogued')).toMatchObject({
      fill: 'yellow',
    });
    gateway.catalogue = { catalogued: true, schemaErrors: ['data.n must be a number'] };
    flow.send('pub', { topic: 'a.b', payload: {} });
    expect(await flow.status('pub', 'hookline-publish.status.schema')).toMatchObject({ fill: 'yellow' });
    await flow.until('both messages', () => flow.received('out').length === 2);
  });

  it.each([
    ['no type', {}, { topic: '', payload: {} }, 'msg.topic'],
    ['no data', {}, { topic: 'a.b' }, 'msg.payload'],
    ['bytes for data', {}, { topic: 'a.b', payload: Buffer.from('{}') }, 'json node'],
    [
      'no id where one is to be taken',
      { key: 'id', keyType: 'msg' },
      { topic: 'a.b', payload: {} },
      'msg.id',
    ],
    [
      'a time that is none',
      { time: 'at', timeType: 'msg' },
      { topic: 'a.b', payload: {}, at: 'noon' },
      'msg.at',
    ],
  ])('fails, naming the remedy, where there is %s', async (_what, settings, msg, remedy) => {
    await startPublishFlow(settings);
    flow.send('pub', msg);
    await flow.until('the error', () => flow.received('caught').length === 1);
    expect(flow.received('caught')[0]!['error']).toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining(remedy),
    });
    expect(gateway.published).toEqual([]);
    expect(flow.received('completed')).toEqual([]);
  });

  it("hands the gateway's own error with its code to a Catch node", async () => {
    await startPublishFlow();
    gateway.failures.push({ field: 'publishEvent', code: 'CONFLICT', message: 'went round five times' });
    flow.send('pub', { topic: 'a.b', payload: {} });
    await flow.until('the error', () => flow.received('caught').length === 1);
    expect(flow.received('caught')[0]!['error']).toMatchObject({ code: 'CONFLICT' });
    await flow.status('pub', 'hookline-publish.status.failed');
  });
});
