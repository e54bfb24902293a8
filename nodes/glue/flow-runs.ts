import { AsyncLocalStorage } from 'node:async_hooks';
import type {
  CompleteStep,
  MessageHooks,
  NodeMessage,
  ReceiveStep,
  RuntimeNode,
  SendStep,
} from './node-red-api.ts';

/** How a run ended: `null`, or the first error that a node reported for one of its messages. */
export type RunEnd = { code: string; message: string } | null;

/**
 * Knows which messages belong to the flow run that an event began, and when the last of them is done.
 *
 * Node-RED does not know that itself; its message hooks tell of each step. A message belongs to a run because it has
 * the `_msgid` of one that the run has seen, or because it was made in the run's asynchronous context: that survives
 * `return {payload}`, copies, Delay, Split and Join.
 *
 * What it cannot see: a Function node that sends later without calling `node.done()` (its run ends when the
 * function returns), and a message that leaves Node-RED and comes back.
 */
export interface FlowRuns {
  /** Begins a run; `emit` sends its first message. `onEnd` is called once, unless the run is abandoned. */
  start(id: string, options: { emit: () => void; onEnd: (end: RunEnd) => void; timeoutMs: number }): void;
  isRunning(id: string): boolean;
  /** Forgets a run: its `onEnd` is not called any more. */
  abandon(id: string): void;
  /** A deploy closes nodes from now on, and some of them call `done` for messages that they throw away. */
  beginDeploy(): void;
  /** The deploy is over: runs of which a message was with a node that it closed end as failed. */
  endDeploy(): void;
  /** Leaves the hooks. */
  close(): void;
}

/** Follows the messages of a Node-RED. Call once at a time: the hooks have one label. */
export function followFlowRuns(hooks: MessageHooks): FlowRuns {
  const runs = new Map<string, Run>();
  const context = new AsyncLocalStorage<Run>();
  const byMessageId = new Map<string, Run>();
  const held = new WeakMap<NodeMessage, HeldMessage>();
  const sends = new WeakMap<SendStep, Run>();
  let isDeploying = false;

  const end = (run: Run, outcome: RunEnd): void => {
    if (run.ended) return;
    run.ended = true;
    clearTimeout(run.timer);
    runs.delete(run.id);
    for (const id of run.messageIds) if (byMessageId.get(id) === run) byMessageId.delete(id);
    run.onEnd(outcome);
  };

  const runOf = (msg: NodeMessage): Run | undefined => {
    // First, because a node may send a message from a timer that another run's message started.
    const known = msg._msgid === undefined ? undefined : byMessageId.get(msg._msgid);
    if (known !== undefined) return known;
    const current = context.getStore();
    return current === undefined || current.ended ? undefined : current;
  };

  const open = (run: Run, msg: NodeMessage, nodeId: string, node: RuntimeNode | undefined): void => {
    let message = held.get(msg);
    if (message === undefined || message.run !== run) {
      message = { run, holders: new Map() };
      held.set(msg, message);
    }
    const holder = message.holders.get(nodeId);
    if (holder === undefined) message.holders.set(nodeId, { node, times: 1 });
    else holder.times += 1;
    run.messages.add(message);
    if (msg._msgid !== undefined) {
      run.messageIds.add(msg._msgid);
      byMessageId.set(msg._msgid, run);
    }
    run.open += 1;
  };

  const release = (run: Run): void => {
    run.open -= 1;
    // A node may call `done` and send right after: look again when this turn is over.
    if (run.open === 0) {
      setImmediate(() => {
        if (run.open === 0 && !isDeploying) end(run, run.error);
      });
    }
  };

  const letGo = (msg: NodeMessage, nodeId: string): Run | undefined => {
    const message = held.get(msg);
    const holder = message?.holders.get(nodeId);
    if (message === undefined || holder === undefined) return undefined;
    holder.times -= 1;
    if (holder.times === 0) message.holders.delete(nodeId);
    if (message.holders.size === 0) message.run.messages.delete(message);
    release(message.run);
    return message.run;
  };

  hooks.add(`onSend.${LABEL}`, (steps: readonly SendStep[]) => {
    if (runs.size === 0) return;
    for (const step of steps) {
      const run = runOf(step.msg);
      if (run !== undefined) sends.set(step, run);
    }
  });

  hooks.add(`preDeliver.${LABEL}`, (step: SendStep) => {
    const run = sends.get(step);
    if (run !== undefined && !run.ended) open(run, step.msg, step.destination.id, step.destination.node);
  });

  hooks.add(`onReceive.${LABEL}`, ({ msg, destination }: ReceiveStep) => {
    if (runs.size === 0 || held.get(msg)?.holders.has(destination.id) === true) return;
    // Not sent along a wire: Link, Catch, Complete and Status nodes are called directly.
    const run = runOf(msg);
    if (run !== undefined) open(run, msg, destination.id, destination.node);
  });

  hooks.add(`postReceive.${LABEL}`, ({ msg, destination }: ReceiveStep) => {
    if (callsDone(destination.node)) return;
    const run = letGo(msg, destination.id);
    if (isDeploying) run?.doneInDeploy.push(destination.node);
  });

  hooks.add(`onComplete.${LABEL}`, ({ msg, node, error }: CompleteStep) => {
    const run = letGo(msg, node.id);
    if (isDeploying) run?.doneInDeploy.push(node.node);
    if (run !== undefined && error !== undefined && error !== null) run.error ??= describeError(error);
  });

  return {
    start: (id, { emit, onEnd, timeoutMs }) => {
      const run: Run = {
        id,
        onEnd,
        open: 1,
        error: null,
        ended: false,
        messages: new Set(),
        messageIds: new Set(),
        doneInDeploy: [],
        timer: undefined,
      };
      run.timer = setTimeout(() => {
        const minutes = Math.round(timeoutMs / 60_000);
        end(run, { code: 'FLOW_TIMEOUT', message: `The flow did not end within ${minutes} minutes.` });
      }, timeoutMs);
      run.timer.unref();
      runs.set(id, run);
      try {
        context.run(run, emit);
      } finally {
        release(run);
      }
    },
    isRunning: (id) => runs.has(id),
    abandon: (id) => {
      const run = runs.get(id);
      if (run === undefined) return;
      run.onEnd = () => undefined;
      end(run, null);
    },
    beginDeploy: () => {
      isDeploying = true;
    },
    endDeploy: () => {
      isDeploying = false;
      for (const run of runs.values()) {
        const holders = [...run.messages].flatMap((message) => [...message.holders.values()]);
        const nodes = [...run.doneInDeploy.splice(0), ...holders.map(({ node }) => node)];
        if (nodes.some((node) => node !== undefined && !isListening(node))) {
          end(run, {
            code: 'FLOW_REDEPLOYED',
            message: 'A deploy replaced a node that held a message of this run.',
          });
        } else if (run.open === 0) end(run, run.error);
      }
    },
    close: () => {
      for (const run of runs.values()) clearTimeout(run.timer);
      hooks.remove(`*.${LABEL}`);
    },
  };
}

const LABEL = 'hookline';

interface Run {
  id: string;
  onEnd: (end: RunEnd) => void;
  /** Messages on a wire or with a node, and one while the first is being sent. */
  open: number;
  error: RunEnd;
  ended: boolean;
  messages: Set<HeldMessage>;
  /** The `_msgid` of every message it has seen. */
  messageIds: Set<string>;
  /** Nodes that were through with one of its messages while the present deploy went on. */
  doneInDeploy: RuntimeNode[];
  timer: NodeJS.Timeout | undefined;
}

/** A message of a run and the nodes it is with, or on its way to, by node id. */
interface HeldMessage {
  run: Run;
  holders: Map<string, { node: RuntimeNode | undefined; times: number }>;
}

/** Nodes of the old form, without `done`, count as done when their listener returns. */
function callsDone(node: RuntimeNode): boolean {
  return isListening(node) && (node._expectedDoneCount ?? 0) > 0;
}

/** Closing a node takes its listeners away. */
function isListening(node: RuntimeNode): boolean {
  return Boolean(node._inputCallback) || Boolean(node._inputCallbacks);
}

const LONGEST_MESSAGE = 500;

function describeError(error: unknown): { code: string; message: string } {
  const { code, message } = (typeof error === 'object' && error !== null ? error : { message: error }) as {
    code?: unknown;
    message?: string | number;
  };
  return {
    code: typeof code === 'string' && code !== '' ? code.slice(0, 100) : 'FLOW_ERROR',
    message: String(message ?? 'A node reported an error without a message.').slice(0, LONGEST_MESSAGE),
  };
}
