import { consumeEvents } from './glue/event-consumer.ts';
import { followFlowRuns } from './glue/flow-runs.ts';
import type { FlowRuns } from './glue/flow-runs.ts';
import { findGateway } from './glue/gateway-node.ts';
import { describeNode } from './glue/node-description.ts';
import type { NodeConfig, NodeRed, RuntimeNode } from './glue/node-red-api.ts';
import { NO_GATEWAY } from './glue/node-status.ts';

interface EventConfig extends NodeConfig {
  gateway?: string;
  /** Exact names, families (`work_order.*`) and `*`. */
  events?: string[];
  /** Machine ids, separated by commas; empty: all. */
  machines?: string;
  startFrom?: 'now' | 'oldest';
  /** One output per entry of `events`. */
  perType?: boolean;
  includeTest?: boolean;
  /** When an event counts as done: at the `end` of the flow, or when it was `sent` on. */
  settle?: 'end' | 'sent';
  /** Events in the flow at a time; comes as text from the dialog. */
  prefetch?: number | string;
}

const RUN_TIMEOUT_MS = 3_600_000;
const DEFAULT_PREFETCH = 8;
const LARGEST_PREFETCH = 64;

/** `hookline-event`: events of the gateway, each one leased to this Node-RED until it is settled. */
export default function registerEvent(RED: NodeRed): void {
  RED.nodes.registerType('hookline-event', EventNode);
  const shared = shareFlowRuns(RED);

  function EventNode(this: RuntimeNode, config: EventConfig): void {
    RED.nodes.createNode(this, config);
    const gateway = findGateway(RED, config.gateway);
    if (gateway === null) {
      this.status(NO_GATEWAY);
      return;
    }
    const stop = consumeEvents(RED, this, gateway, shared.join(), {
      endpoint: {
        key: this.id,
        kind: 'FLOW',
        description: describeNode(RED, this, 'mes event'),
        events: config.events ?? [],
        machines: listOf(config.machines),
        includeTest: config.includeTest ?? false,
        startFrom: config.startFrom ?? 'now',
      },
      perType: config.perType ?? false,
      settle: config.settle ?? 'end',
      prefetch: Math.min(
        LARGEST_PREFETCH,
        Math.max(1, Math.trunc(Number(config.prefetch)) || DEFAULT_PREFETCH),
      ),
      runTimeoutMs: RUN_TIMEOUT_MS,
    });
    this.on('close', (_removed: boolean, done: () => void) => {
      void stop().finally(shared.leave).finally(done);
    });
  }
}

/** Node-RED's hooks are one for the whole process: all event nodes share what follows them. */
function shareFlowRuns(RED: NodeRed): { join: () => FlowRuns; leave: () => void } {
  let runs: FlowRuns | null = null;
  let users = 0;
  const beginDeploy = (): void => runs?.beginDeploy();
  const endDeploy = (): void => runs?.endDeploy();
  return {
    join: () => {
      users += 1;
      if (runs === null) {
        runs = followFlowRuns(RED.hooks);
        RED.events.on('flows:stopping', beginDeploy);
        RED.events.on('flows:started', endDeploy);
      }
      return runs;
    },
    leave: () => {
      users -= 1;
      if (users > 0) return;
      RED.events.off('flows:stopping', beginDeploy);
      RED.events.off('flows:started', endDeploy);
      runs?.close();
      runs = null;
    },
  };
}

function listOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
