import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A node as an exported flow holds it. */
export interface ExportedNode {
  id: string;
  type: string;
  z?: string;
  gateway?: string;
  credentials?: unknown;
  wires?: string[][];
  [property: string]: unknown;
}

const FOLDER = join(import.meta.dirname, '..', '..', 'flows');

/** Every example flow, by the name of its file. */
export function readExampleFlows(): { name: string; nodes: ExportedNode[] }[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({ name, nodes: JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as ExportedNode[] }));
}

/** All of them together, each node once. */
export function mergeExampleFlows(): ExportedNode[] {
  return [
    ...new Map(readExampleFlows().flatMap(({ nodes }) => nodes.map((node) => [node.id, node]))).values(),
  ];
}
