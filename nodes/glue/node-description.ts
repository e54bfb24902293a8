import type { NodeRed, RuntimeNode } from './node-red-api.ts';

/** What people read in the console for the endpoint that a node is: its name, and the flow it is in. */
export function describeNode(RED: NodeRed, node: RuntimeNode, what: string): string {
  const flow = RED.util.getSetting(node, 'NR_FLOW_NAME');
  const name = node.name === undefined || node.name === '' ? what : node.name;
  return typeof flow === 'string' && flow !== '' ? `${name} (${flow})` : name;
}
