import { createHash, randomUUID } from 'node:crypto';
import type { NodeMessage } from './node-red-api.ts';

/**
 * A name for what a node is about to do, the same when a flow runs again for the same event with the same result:
 * then the gateway does it once. Made of the event, the node and the content; a part of a split message also counts
 * as itself. Without an event nothing says that two messages mean the same, so it is a new one each time.
 * @returns 43 characters of base64url, or a UUID.
 */
export function idempotencyKey(msg: NodeMessage, nodeId: string, content: unknown): string {
  const eventId = msg.event?.id;
  if (typeof eventId !== 'string') return randomUUID();
  const { index } = (msg['parts'] ?? {}) as { index?: unknown };
  return createHash('sha256')
    .update(JSON.stringify([eventId, nodeId, index ?? null, content ?? null]))
    .digest('base64url');
}
