import type { NodeMessage, NodeRed, RuntimeNode } from './node-red-api.ts';

/** A value as a typed input of the dialog holds it. */
export interface TypedProperty {
  value: string;
  /** `msg`, `str`, `jsonata`, … as Node-RED names them. */
  type: string;
}

/** What a typed input means for this message. Rejects where its expression cannot be evaluated. */
export function readProperty(
  RED: NodeRed,
  node: RuntimeNode,
  msg: NodeMessage,
  { value, type }: TypedProperty,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    RED.util.evaluateNodeProperty(value, type, node, msg, (error, result) => {
      if (error === null || error === undefined) resolve(result);
      else reject(error);
    });
  });
}
