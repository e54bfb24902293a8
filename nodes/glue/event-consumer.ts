import { outputOf } from './event-routing.ts';
import type { FlowRuns, RunEnd } from './flow-runs.ts';
import type { AppliedEndpoint, FlowEndpoint, WorkItem } from '../gateway-client.ts';
import type { GatewayError } from '../client/gateway-error.ts';
import type { GatewayNode } from './gateway-node.ts';
import type { NodeMessage, NodeRed, NodeStatus, RuntimeNode } from './node-red-api.ts';
import { gatewayStatus } from './node-status.ts';
import { createStatusLine } from './status-line.ts';

/** How an event node takes its events. */
export interface EventConsumption {
  endpoint: FlowEndpoint;
  /** One output per entry of the endpoint's `events`. */
  perType: boolean;
  settle: 'end' | 'sent';
  /** Events in the flow at a time. */
  prefetch: number;
  /** After how long a flow that did not end counts as failed. */
  runTimeoutMs: number;
}

/**
 * Begins to take the events of an endpoint, sends each one on and settles it. At least once: what a crash, a deploy
 * or a lost connection leaves open comes again.
 * @returns a function that hands back what is open, and resolves when the gateway knows.
 */
export function consumeEvents(
  RED: NodeRed,
  node: RuntimeNode,
  gateway: GatewayNode,
  runs: FlowRuns,
  consumption: EventConsumption,
): () => Promise<void> {
  const { endpoint, settle, prefetch, runTimeoutMs } = consumption;
  const patterns = consumption.perType ? (endpoint.events ?? []) : [];
  /** Tokens of the leases in the flow, by delivery. */
  const tokens = new Map<string, string>();
  let applied: AppliedEndpoint | null = null;
  let stopWork: (() => void) | null = null;
  let problem: GatewayError | null = null;
  let received = 0;
  let lastFailed = false;

  const line = createStatusLine(node, (): NodeStatus => {
    const unconnected = gatewayStatus(gateway.state);
    if (unconnected !== null) return unconnected;
    if (problem !== null) return { fill: 'red', shape: 'ring', text: 'hookline-event.status.refused' };
    if (applied !== null && !applied.endpoint.active) {
      return { fill: 'grey', shape: 'ring', text: 'hookline-event.status.off' };
    }
    if (applied !== null && applied.endpoint.paused) {
      return { fill: 'grey', shape: 'ring', text: 'hookline-event.status.paused' };
    }
    if (lastFailed) return { fill: 'yellow', shape: 'dot', text: 'hookline-event.status.failed' };
    if (received === 0) return { fill: 'green', shape: 'ring', text: 'hookline-event.status.waiting' };
    return {
      fill: 'green',
      shape: 'dot',
      text: RED._('hookline-event.status.received', { count: received }),
    };
  });

  const settleItem = (deliveryId: string, token: string, end: RunEnd): void => {
    lastFailed = end !== null;
    line.refresh();
    const outcome =
      end === null ? { outcome: 'SUCCEEDED' as const } : { outcome: 'FAILED' as const, error: end };
    gateway
      .client()
      .settle({ deliveryId, token, ...outcome })
      .catch((error: GatewayError) => {
        if (error.code !== 'CLOSED') node.warn(error.message);
      });
  };

  const onItem = ({ deliveryId, token, attempt, event }: WorkItem): void => {
    if (runs.isRunning(deliveryId)) {
      // Leased anew after a lost connection while the flow still works on it: it goes on under the new lease.
      tokens.set(deliveryId, token);
      return;
    }
    received += 1;
    line.refresh();
    const msg: NodeMessage = {
      topic: event.type,
      // A copy, so that a flow that changes its payload does not change the event.
      payload: structuredClone(event.data),
      event,
      hookline: { deliveryId, attempt, endpointId: applied?.endpoint.id },
    };
    const emit = (): void => node.send(toOutput(msg, patterns, event.type));
    if (settle === 'sent') {
      emit();
      settleItem(deliveryId, token, null);
      return;
    }
    tokens.set(deliveryId, token);
    runs.start(deliveryId, {
      emit,
      timeoutMs: runTimeoutMs,
      onEnd: (end) => {
        const current = tokens.get(deliveryId) ?? token;
        tokens.delete(deliveryId);
        settleItem(deliveryId, current, end);
      },
    });
  };

  gateway.register({
    node,
    endpoint,
    onState: () => line.refresh(),
    onRefused: (error) => {
      problem = error;
      node.error(error.message);
      line.refresh();
    },
    onApplied: (now) => {
      const before = applied?.endpoint.id;
      applied = now;
      problem = null;
      line.refresh();
      if (now.endpoint.id === before) return;
      stopWork?.();
      stopWork = gateway.client().work(now.endpoint.id, prefetch, {
        onItem,
        onError: (error) => {
          if (error.code === 'NOT_FOUND') gateway.redeclare();
        },
      });
    },
  });

  return async () => {
    line.close();
    gateway.deregister(node.id);
    for (const deliveryId of tokens.keys()) runs.abandon(deliveryId);
    if (stopWork === null) return;
    // What is settled but not yet told must arrive before the rest is handed back.
    await gateway.client().flush();
    stopWork();
  };
}

function toOutput(
  msg: NodeMessage,
  patterns: readonly string[],
  type: string,
): NodeMessage | (NodeMessage | null)[] {
  if (patterns.length < 2) return msg;
  const index = outputOf(patterns, type);
  return patterns.map((_, output) => (output === index ? msg : null));
}
