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

const URL = 'https://receiver.example/hook';

async function startWebhookFlow(settings: object = {}, secrets: object = { url: URL }): Promise<TestFlow> {
  const { node, credentials } = gatewayFor(gateway);
  flow = await startFlow(
    [
      tab,
      node,
      onTab('wh', 'hookline-webhook', [['arrived'], ['givenup']], { gateway: 'gw', ...settings }),
      recorder('arrived'),
      recorder('givenup'),
      onTab('complete', 'complete', [['completed']], { scope: ['wh'] }),
      recorder('completed'),
      onTab('catch', 'catch', [['caught']], { scope: ['wh'] }),
      recorder('caught'),
    ],
    { ...credentials, wh: secrets },
  );
  return flow;
}

/** The result of a delivery, as the gateway hands it back. */
function result(
  outcome: string,
  context: unknown,
  delivery: object = {},
): { deliveryId: string; token: string; event: Record<string, unknown>; context: unknown } {
  const data = { delivery: { id: 'dlv_1', status: outcome.toUpperCase(), attemptCount: 1, ...delivery } };
  return {
    deliveryId: 'dlv_r1',
    token: '9',
    context,
    event: fakeEvent({ type: `hookline.delivery.${outcome}`, data }),
  };
}

describe('a webhook node', () => {
  it('declares its endpoint with what was entered', async () => {
    await startWebhookFlow(
      {
        name: 'ERP',
        delay: '2.5',
        timeout: '10',
        retrySchedule: '0s, 10s 1m',
        headers: [{ name: 'x-line', value: '4' }],
      },
      { url: ` ${URL} `, secret: 'whsec_x', secretHeaders: '[{"name":"authorization","value":"Bearer t"}]' },
    );
    await gateway.until('the declaration', () => gateway.applied.length === 1);
    expect(gateway.applied[0]!.endpoints).toEqual([
      {
        key: 'wh',
        kind: 'WEBHOOK',
        description: 'ERP (Line 4)',
        url: URL,
        urlIsSecret: true,
        events: [],
        headers: [
          { name: 'x-line', value: '4', secret: false },
          { name: 'authorization', value: 'Bearer t', secret: true },
        ],
        results: true,
        secret: 'whsec_x',
        delaySeconds: 2.5,
        timeoutSeconds: 10,
        retrySchedule: ['0s', '10s', '1m'],
      },
    ]);
  });

  it('without a URL declares nothing, says so, and lets inputs fail', async () => {
    const { send, status, until, received } = await startWebhookFlow({}, {});
    await status('wh', 'hookline-webhook.status.noUrl');
    send('wh', { payload: 1 });
    await until('the error', () => received('caught').length === 1);
    expect(received('caught')[0]!['error']).toMatchObject({ code: 'NOT_CONFIGURED' });
    await gateway.until('the declaration', () => gateway.applied.length === 1);
    expect(gateway.applied).toEqual([{ owner: 'gw', endpoints: [] }]);
  });

  it('is done with a message when the gateway has it, and sends nothing on before the result', async () => {
    const { send, status, until, received } = await startWebhookFlow();
    send('wh', {
      payload: { n: 1 },
      topic: 't',
      event: fakeEvent({ source: 'mes' }) as never,
      req: { socket: 1 },
      res: {},
      hookline: { deliveryId: 'd' },
    });
    await until('the end', () => received('completed').length === 1);
    expect(gateway.sent).toEqual([
      {
        endpointId: 'ep_wh',
        payload: { n: 1 },
        eventId: 'evt-123',
        idempotencyKey: expect.stringMatching(/^[\w-]{43}$/),
        context: {
          shortened: false,
          message: {
            _msgid: expect.any(String),
            topic: 't',
            payload: { n: 1 },
            event: expect.objectContaining({ id: 'evt-123' }),
          },
        },
      },
    ]);
    await status('wh', 'hookline-webhook.status.queued');
    expect(received('arrived')).toEqual([]);
  });

  it('gives a message that is repeated for the same event the same key', async () => {
    const { send, until } = await startWebhookFlow();
    const event = fakeEvent() as never;
    for (const payload of [1, 1, 2]) send('wh', { payload, event });
    send('wh', { payload: 1 });
    send('wh', { payload: 1 });
    await until('all', () => flow!.received('completed').length === 5);
    const keys = gateway.sent.map(({ idempotencyKey }) => idempotencyKey as string);
    expect(keys[0]).toBe(keys[1]);
    expect(new Set(keys).size).toBe(4);
  });

  it('sends the message on at output 1 when it arrived, with how it went', async () => {
    const { until, received, status } = await startWebhookFlow();
    await gateway.until('the subscription to results', () =>
      gateway.consumers.some(({ endpointId }) => endpointId === 'ep_wh:results'),
    );
    gateway.give(
      'ep_wh:results',
      result(
        'succeeded',
        { shortened: false, message: { topic: 't', payload: { n: 1 } } },
        { statusCode: 200 },
      ),
    );
    await until('the result', () => received('arrived').length === 1);
    expect(received('arrived')[0]).toMatchObject({
      topic: 't',
      payload: { n: 1 },
      delivery: { id: 'dlv_1', status: 'SUCCEEDED', statusCode: 200 },
    });
    await gateway.until('the settlement', () => gateway.settled.length === 1);
    expect(gateway.settled).toEqual([[{ deliveryId: 'dlv_r1', token: '9', outcome: 'SUCCEEDED' }]]);
    await status('wh', 'hookline-webhook.status.succeeded');
    expect(received('givenup')).toEqual([]);
  });

  it.each(['exhausted', 'rejected', 'expired', 'cancelled'])(
    'sends the message on at output 2 when it was %s',
    async (outcome) => {
      const { until, received, status } = await startWebhookFlow();
      gateway.give('ep_wh:results', result(outcome, { shortened: false, message: { payload: 1 } }));
      await until('the result', () => received('givenup').length === 1);
      expect(received('givenup')[0]).toMatchObject({
        payload: 1,
        delivery: { status: outcome.toUpperCase() },
      });
      await status('wh', `hookline-webhook.status.${outcome}`);
      expect(received('arrived')).toEqual([]);
    },
  );

  it('keeps to itself the result of a delivery that no flow sent', async () => {
    const { received } = await startWebhookFlow();
    gateway.give('ep_wh:results', result('succeeded', null));
    await gateway.until('the settlement', () => gateway.settled.length === 1);
    expect(received('arrived')).toEqual([]);
  });

  it('shows when the next attempt is made', async () => {
    const { status } = await startWebhookFlow();
    await gateway.until('the subscriptions', () => gateway.followsDeliveries());
    gateway.showDelivery({
      id: 'dlv_1',
      status: 'RETRYING',
      attemptCount: 2,
      nextAttemptAt: '2030-05-05T12:00:00.000Z',
      endpoint: { id: 'ep_wh' },
    });
    expect(await status('wh', 'hookline-webhook.status.retrying')).toMatchObject({
      fill: 'yellow',
      shape: 'ring',
    });
  });

  it.each([
    ['empty', undefined],
    ['a Buffer', Buffer.from('x')],
  ])('fails where the payload is %s', async (_what, payload) => {
    const { send, until, received, status } = await startWebhookFlow();
    await gateway.until('the declaration', () => gateway.applied.length === 1);
    send('wh', { payload });
    await until('the error', () => received('caught').length === 1);
    expect(received('caught')[0]!['error']).toMatchObject({ code: 'BAD_USER_INPUT' });
    await status('wh', 'hookline-webhook.status.notQueued');
    expect(gateway.sent).toEqual([]);
  });

  it('that the gateway refuses does not keep the others from being declared', async () => {
    const { node, credentials } = gatewayFor(gateway);
    gateway.failures.push({
      field: 'applyFlow',
      code: 'BAD_USER_INPUT',
      message: 'add 10.0.0.0/8 to the allow-list',
      input: 'endpoints.0.url',
    });
    flow = await startFlow(
      [
        tab,
        node,
        onTab('wh', 'hookline-webhook', [[], []], { gateway: 'gw' }),
        onTab('ev', 'hookline-event', [[]], { gateway: 'gw', events: ['*'] }),
        onTab('catch', 'catch', [['caught']], { scope: ['wh'] }),
        recorder('caught'),
      ],
      { ...credentials, wh: { url: 'http://10.0.0.1/' } },
    );
    await flow.status('wh', 'hookline-webhook.status.refused');
    await flow.status('ev', 'hookline-event.status.waiting');
    expect(gateway.applied.map(({ endpoints }) => endpoints.map(({ key }) => key))).toEqual([['ev']]);
    flow.send('wh', { payload: 1 });
    await flow.until('the error', () => flow!.received('caught').length === 1);
    expect(flow.received('caught')[0]!['error']).toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining('add 10.0.0.0/8 to the allow-list'),
    });
  });
});
