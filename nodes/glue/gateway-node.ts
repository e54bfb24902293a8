import type { AppliedEndpoint, FlowEndpoint, GatewayClient, TroubledDelivery } from '../gateway-client.ts';
import type { GatewayError } from '../client/gateway-error.ts';
import type { NodeRed, RuntimeNode } from './node-red-api.ts';

/** How the gateway stands for the nodes that use it. */
export type GatewayState =
  | { kind: 'connecting' | 'connected' }
  | { kind: 'disconnected'; error: GatewayError };

/** The `hookline-gateway` node, as the nodes that name it see it. */
export interface GatewayNode extends RuntimeNode {
  /** Nodes that use it, by id. Node-RED itself passes this node's errors and status on to their flows. */
  users: Record<string, RuntimeNode>;
  state: GatewayState;
  /** Where the gateway is; null where no usable address is known. */
  baseUrl: string | null;
  /** Throws `NOT_CONFIGURED` where address or key are missing. */
  client(): GatewayClient;
  /** To be called while the flows start; what is declared goes to the gateway when all of them have. */
  register(user: GatewayUser): void;
  deregister(nodeId: string): void;
  /** Declares everything again: the gateway does not know an endpoint that it was given. */
  redeclare(): void;
}

/** A node that uses a gateway. */
export interface GatewayUser {
  node: RuntimeNode;
  /** The endpoint that this node is, where it is one. */
  endpoint?: FlowEndpoint;
  /** Shows how the gateway stands; called at once and with each change. */
  onState(state: GatewayState): void;
  /** Its endpoint is declared; called again after each loss of the connection. */
  onApplied?(applied: AppliedEndpoint): void;
  /** The gateway does not take its endpoint. */
  onRefused?(error: GatewayError): void;
  /** A delivery to its endpoint did not arrive at the first try, or changed after that. */
  onTrouble?(delivery: TroubledDelivery): void;
}

/** The gateway node that a node names, or null where it names none that exists. */
export function findGateway(RED: NodeRed, id: string | undefined): GatewayNode | null {
  const node = id === undefined || id === '' ? null : RED.nodes.getNode(id);
  return node?.type === 'hookline-gateway' ? (node as GatewayNode) : null;
}
