import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { followFlowRuns } from '../../../nodes/glue/flow-runs.ts';
import type { MessageHooks, NodeMessage, RuntimeNode } from '../../../nodes/glue/node-red-api.ts';
import { fakeEvent, startFakeGateway } from '../support/fake-gateway.ts';
import type { FakeGateway } from '../support/fake-gateway.ts';
import { gatewayFor, onTab, recorder, startFlow, tab } from '../support/flow-harness.ts';
import type { TestFlow } from '../support/flow-harness.ts';

describe('the end of a flow', () => {
  let gateway: FakeGateway;
  let flow: TestFlow;

  beforeEach(async () => {
    gateway = await startFakeGateway();
  });

  afterEach(async () => {
    await flow[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  const settled = (deliveryId: string): Record<string, unknown> | undefined =>
    gateway.settled.flat().find((item) => item['deliveryId'] === deliveryId);

  /** Keeps messages until it gets one with `flush`. */
  const hold = onTab('hold', 'delay', [['out']], { pauseType: 'delay', timeout: '1', timeoutUnits: 'hours' });
  const fn = (id: string, func: string, wires: string[][]): object =>
    onTab(id, 'function', wires, { func, outputs: 1 });

  const paths: { name: string; nodes: object[]; outcome?: string }[] = [
    { name: 'a message on its first wire', nodes: [fn('first', 'return msg', [['hold']])] },
    { name: 'a copy on a second wire', nodes: [fn('first', 'return msg', [['out', 'hold']])] },
    {
      name: 'a new message that a function returns',
      nodes: [fn('first', 'return { payload: 1 }', [['hold']])],
    },
    {
      name: 'a message that a function sends later',
      nodes: [fn('first', 'setTimeout(() => { node.send({ payload: 1 }); node.done() }, 5)', [['hold']])],
    },
    {
      name: 'a message sent right after done',
      nodes: [fn('first', 'node.done(); node.send(msg)', [['hold']])],
    },
    {
      name: 'a message through link nodes',
      nodes: [
        onTab('first', 'link out', [], { mode: 'link', links: ['li'] }),
        onTab('li', 'link in', [['hold']], { links: ['first'] }),
      ],
    },
    {
      name: 'a message that a catch node makes of an error',
      nodes: [
        fn('first', 'throw new Error("no")', [[]]),
        onTab('catch', 'catch', [['hold']], { scope: null, uncaught: false }),
      ],
      outcome: 'FAILED',
    },
    {
      name: 'the message that a join makes of the parts',
      nodes: [
        fn('first', 'msg.payload = [1, 2, 3]; return msg', [['split']]),
        onTab('split', 'split', [['join']], {
          splt: '1',
          spltType: 'len',
          arraySplt: 1,
          arraySpltType: 'len',
        }),
        onTab('join', 'join', [['hold']], { mode: 'auto' }),
      ],
    },
    {
      name: 'messages that a rate limit lets through one by one',
      nodes: [
        fn('first', 'return [[{ payload: 1 }, { payload: 2 }]]', [['rate']]),
        onTab('rate', 'delay', [['hold']], {
          pauseType: 'rate',
          rate: '50',
          nbRateUnits: '1',
          rateUnits: 'second',
        }),
      ],
    },
    {
      name: 'a message through a subflow',
      nodes: [
        onTab('first', 'subflow:sub', [['hold']]),
        {
          id: 'sub',
          type: 'subflow',
          name: 's',
          in: [{ x: 1, y: 1, wires: [{ id: 'inner' }] }],
          out: [{ x: 1, y: 1, wires: [{ id: 'inner', port: 0 }] }],
        },
        {
          id: 'inner',
          type: 'function',
          z: 'sub',
          func: 'return { payload: 2 }',
          outputs: 1,
          x: 1,
          y: 1,
          wires: [[]],
        },
      ],
    },
  ];

  it.each(paths)('waits for $name', async ({ nodes, outcome = 'SUCCEEDED' }) => {
    const { node, credentials } = gatewayFor(gateway);
    const event = onTab('ev', 'hookline-event', [['first'], []], {
      gateway: 'gw',
      events: ['a', 'b'],
      perType: true,
    });
    flow = await startFlow([tab, node, event, ...nodes, hold, recorder('out')], credentials);
    let heldCount = 0;
    flow.onReceive('hold', () => {
      heldCount += 1;
    });
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '1', event: fakeEvent({ type: 'a' }) });
    await flow.until(
      'the message to be held',
      () => heldCount >= (nodes.length === 2 && JSON.stringify(nodes).includes('rate') ? 2 : 1),
    );
    // Settlements come in the order in which runs end: one that ended early would be there with this one.
    gateway.give('ep_ev', { deliveryId: 'dlv_2', token: '1', event: fakeEvent({ type: 'b' }) });
    await gateway.until('the settlement of an event without a flow', () => settled('dlv_2'));
    expect(settled('dlv_1')).toBeUndefined();
    flow.send('hold', { flush: true });
    expect(await gateway.until('the settlement', () => settled('dlv_1'))).toMatchObject({ outcome });
    expect(flow.received('out').length).toBeGreaterThan(0);
  });

  const flowOf = async (nodes: object[]): Promise<void> => {
    const { node, credentials } = gatewayFor(gateway);
    const event = onTab('ev', 'hookline-event', [['first'], []], {
      gateway: 'gw',
      events: ['a', 'b'],
      perType: true,
    });
    flow = await startFlow([tab, node, event, ...nodes, recorder('out')], credentials);
  };
  const untilMarkerIsSettled = async (): Promise<void> => {
    gateway.give('ep_ev', { deliveryId: 'dlv_marker', token: '1', event: fakeEvent({ type: 'b' }) });
    await gateway.until('the settlement of an event without a flow', () => settled('dlv_marker'));
  };

  it('is that of its own message, where a node sends it on behalf of another one', async () => {
    await flowOf([
      fn('first', 'return { payload: 1 }', [['rate']]),
      // Sends the second message from a timer that the first one started.
      onTab('rate', 'delay', [['hold']], {
        pauseType: 'rate',
        rate: '50',
        nbRateUnits: '1',
        rateUnits: 'second',
      }),
      hold,
    ]);
    let heldCount = 0;
    flow.onReceive('hold', () => {
      heldCount += 1;
    });
    for (const deliveryId of ['dlv_1', 'dlv_2']) {
      gateway.give('ep_ev', { deliveryId, token: '1', event: fakeEvent({ type: 'a' }) });
    }
    await flow.until('both messages to be held', () => heldCount === 2);
    await untilMarkerIsSettled();
    expect(settled('dlv_1')).toBeUndefined();
    expect(settled('dlv_2')).toBeUndefined();
    flow.send('hold', { flush: true });
    await gateway.until('both settlements', () => settled('dlv_1') && settled('dlv_2'));
  });

  it('comes though a node never says done, where it is of the old form', async () => {
    const { node, credentials } = gatewayFor(gateway);
    const event = onTab('ev', 'hookline-event', [['old']], { gateway: 'gw', events: ['*'] });
    flow = await startFlow([tab, node, event, recorder('old')], credentials);
    gateway.give('ep_ev', { deliveryId: 'dlv_1', token: '1' });
    expect(await gateway.until('the settlement', () => settled('dlv_1'))).toMatchObject({
      outcome: 'SUCCEEDED',
    });
  });
});

describe('a run', () => {
  /** Hooks of a Node-RED that is not there: the test says what happens. */
  function fakeHooks(): {
    hooks: MessageHooks;
    happen: (name: string, step: unknown) => void;
    size: () => number;
  } {
    const listeners = new Map<string, (step: never) => void>();
    return {
      hooks: {
        add: (name, listener) => void listeners.set(name, listener),
        remove: (name) => {
          if (name === '*.hookline') listeners.clear();
        },
      },
      happen: (name, step) => listeners.get(`${name}.hookline`)?.(step as never),
      size: () => listeners.size,
    };
  }
  const stuck = {
    id: 'stuck',
    _expectedDoneCount: 1,
    _inputCallback: () => undefined,
  } as unknown as RuntimeNode;

  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function startStuckRun(onEnd: (end: unknown) => void): ReturnType<typeof followFlowRuns> {
    const { hooks, happen } = fakeHooks();
    const runs = followFlowRuns(hooks);
    const msg: NodeMessage = {};
    runs.start('dlv_1', {
      emit: () => {
        const step = { msg, destination: { id: 'stuck', node: stuck } };
        happen('onSend', [step]);
        happen('preDeliver', step);
        happen('onReceive', step);
        happen('postReceive', step);
      },
      onEnd,
      timeoutMs: 3_600_000,
    });
    return runs;
  }

  it('that does not end counts as failed after an hour', () => {
    const ends: unknown[] = [];
    const runs = startStuckRun((end) => ends.push(end));
    vi.advanceTimersByTime(3_599_999);
    expect(ends).toEqual([]);
    expect(runs.isRunning('dlv_1')).toBe(true);
    vi.advanceTimersByTime(1);
    expect(ends).toEqual([{ code: 'FLOW_TIMEOUT', message: 'The flow did not end within 60 minutes.' }]);
    expect(runs.isRunning('dlv_1')).toBe(false);
  });

  it('that is abandoned ends without a word', () => {
    const ends: unknown[] = [];
    const runs = startStuckRun((end) => ends.push(end));
    runs.abandon('dlv_1');
    vi.advanceTimersByTime(3_600_000);
    expect(ends).toEqual([]);
    expect(runs.isRunning('dlv_1')).toBe(false);
  });

  it('follower leaves the hooks when it is closed', () => {
    const { hooks, size } = fakeHooks();
    const runs = followFlowRuns(hooks);
    expect(size()).toBe(5);
    runs.close();
    expect(size()).toBe(0);
  });
});
