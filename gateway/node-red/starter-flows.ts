import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A node in an exported flow: a tab, a node or a configuration node. */
export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** Configuration nodes of this type all mean the one gateway that this Node-RED belongs to. */
const SHARED_TYPE = 'hookline-gateway';

/**
 * One set of flows from all the example flows in a folder, in the order of their names. What several of them
 * bring along, by id, is there once; all share the first one's gateway node.
 */
export function assembleStarterFlows(folder: string): FlowNode[] {
  const nodes = readExampleFlows(folder);
  const shared = nodes.find((node) => node.type === SHARED_TYPE);
  const replacedIds = new Set(
    nodes.filter((node) => node.type === SHARED_TYPE && node.id !== shared?.id).map((node) => node.id),
  );
  const byId = new Map<string, FlowNode>();
  for (const node of nodes) {
    if (byId.has(node.id) || replacedIds.has(node.id)) continue;
    byId.set(node.id, shared ? pointTo(node, replacedIds, shared.id) : node);
  }
  return [...byId.values()];
}

function readExampleFlows(folder: string): FlowNode[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as FlowNode[]);
}

function pointTo(node: FlowNode, replacedIds: ReadonlySet<string>, sharedId: string): FlowNode {
  const entries = Object.entries(node).map(([property, value]) =>
    typeof value === 'string' && replacedIds.has(value) ? [property, sharedId] : [property, value],
  );
  return Object.fromEntries(entries) as FlowNode;
}
