import { createRequire } from 'node:module';
import registerEvent from '../../../nodes/event.ts';
import registerGateway from '../../../nodes/gateway.ts';
import type { NodeMessage, NodeStatus } from '../../../nodes/glue/node-red-api.ts';
import registerPublish from '../../../nodes/publish.ts';
import registerVerify from '../../../nodes/verify.ts';
import registerWebhook from '../../../nodes/webhook.ts';
import { createChangeSignal } from './change-signal.ts';
import type { ChangeSignal } from './change-signal.ts';
import type { FakeGateway } from './fake-gateway.ts';

const require = createRequire(import.meta.url);
const helper = require('node-red-node-test-helper');
helper.init(require.resolve('node-red'));

const CORE_NODES = [
  'function/10-function',
  'function/89-delay',
  'function/15-change',
  'common/60-link',
  'sequence/17-split',
];

/** A flow in a Node-RED inside this process: real flow engine and message hooks, no editor, no catalogues. */
export interface TestFlow extends ChangeSignal, AsyncDisposable {
  /** Messages that reached the recorders (nodes of type `helper`), by node id. */
  received(nodeId: string): NodeMessage[];
  /** Calls back for each message that reaches a node, whatever its type. */
  onReceive(nodeId: string, listener: () => void): void;
  /** Hands a message to a node's input. */
  send(nodeId: string, msg: NodeMessage): void;
  /** Resolves with the line under a node as soon as its text is this one. */
  status(nodeId: string, text: string): Promise<NodeStatus>;
  /** Deploys other flows; nodes that are the same go on. */
  deploy(flow: object[], credentials?: Record<string, object>): Promise<void>;
}

/** The gateway node of all test flows, and its credentials. */
export function gatewayFor(gateway: FakeGateway): { node: object; credentials: Record<string, object> } {
  return {
    node: { id: 'gw', type: 'hookline-gateway', url: gateway.url },
    credentials: { gw: { key: gateway.key } },
  };
}

/** A recorder, to be wired to. */
export function recorder(id: string): object {
  return { id, type: 'helper', z: 'tab', x: 10, y: 10, wires: [] };
}

/** A node on the tab. */
export function onTab(id: string, type: string, wires: string[][], settings: object = {}): object {
  return { id, type, z: 'tab', x: 10, y: 10, wires, ...settings };
}

export const tab: object = { id: 'tab', type: 'tab', label: 'Line 4' };

/** Starts a flow. Dispose of it before the next one: there is one Node-RED in a process. */
export async function startFlow(flow: object[], credentials: Record<string, object> = {}): Promise<TestFlow> {
  const signal = createChangeSignal();
  const received = new Map<string, NodeMessage[]>();
  const statuses = new Map<string, NodeStatus>();
  const watched = new WeakSet<object>();
  const watch = (nodes: object[]): void => {
    for (const { id, type } of nodes as { id: string; type: string }[]) {
      const node = helper.getNode(id);
      if (node === null || watched.has(node)) continue;
      watched.add(node);
      if (type !== 'helper') continue;
      node.on('input', (msg: NodeMessage) => {
        received.set(id, [...(received.get(id) ?? []), msg]);
        signal.changed();
      });
    }
  };
  const onStatus = ({ id, status }: { id: string; status: NodeStatus }): void => {
    statuses.set(id, status);
    signal.changed();
  };
  const { events, hooks } = require('@node-red/util');
  events.on('node-status', onStatus);

  const core = CORE_NODES.map((name) => require(`@node-red/nodes/core/${name}.js`));
  // The helper's own stand-in for the runtime has no message hooks.
  const addHooks = (RED: { hooks: unknown }): void => {
    RED.hooks = hooks;
  };
  const ours = [registerGateway, registerEvent, registerPublish, registerVerify, registerWebhook];
  await helper.load([addHooks, ...ours, ...core], flow, credentials);
  watch(flow);

  return {
    ...signal,
    received: (nodeId) => received.get(nodeId) ?? [],
    onReceive: (nodeId, listener) => {
      helper.getNode(nodeId).on('input', () => {
        listener();
        signal.changed();
      });
    },
    send: (nodeId, msg) => helper.getNode(nodeId).receive(msg),
    status: (nodeId, text) =>
      signal.until(`${nodeId} to show "${text}", not "${String(statuses.get(nodeId)?.text)}"`, () =>
        statuses.get(nodeId)?.text === text ? statuses.get(nodeId) : null,
      ),
    deploy: async (next, nextCredentials) => {
      await helper.setFlows(next, 'nodes', nextCredentials ?? credentials);
      watch(next);
    },
    [Symbol.asyncDispose]: async () => {
      await helper.unload();
      events.off('node-status', onStatus);
    },
  };
}
