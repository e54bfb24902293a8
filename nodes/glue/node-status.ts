import type { GatewayState } from './gateway-node.ts';
import type { NodeStatus } from './node-red-api.ts';

/** Under a node that names no gateway. */
export const NO_GATEWAY: NodeStatus = { fill: 'red', shape: 'ring', text: gatewayText('noGateway') };

/** How the gateway stands, as a line under a node that uses it; null where it is connected. */
export function gatewayStatus(state: GatewayState): NodeStatus | null {
  if (state.kind === 'disconnected') {
    return { fill: 'red', shape: 'ring', text: TEXT_BY_CODE[state.error.code] ?? gatewayText('refused') };
  }
  if (state.kind === 'connecting')
    return { fill: 'yellow', shape: 'ring', text: 'node-red:common.status.connecting' };
  return null;
}

const TEXT_BY_CODE: Record<string, string> = {
  GATEWAY_UNREACHABLE: 'node-red:common.status.disconnected',
  STORE_UNAVAILABLE: gatewayText('busy'),
  RATE_LIMITED: gatewayText('busy'),
  UNAUTHENTICATED: gatewayText('keyRefused'),
  FORBIDDEN: gatewayText('keyRefused'),
  NOT_CONFIGURED: gatewayText('notConfigured'),
  NOT_A_GATEWAY: gatewayText('notAGateway'),
};

/** A text of the gateway node's catalogue, which all nodes share; the editor looks it up in the reader's language. */
function gatewayText(name: string): string {
  return `@hookline/node-red/hookline-gateway:hookline-gateway.status.${name}`;
}
