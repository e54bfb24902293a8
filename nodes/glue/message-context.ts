import type { NodeMessage } from './node-red-api.ts';

/** The gateway takes 64 KiB; some of that is for what is around the message. */
export const MAX_CONTEXT_BYTES = 60 * 1024;

/** What travels with a delivery and comes back with its result. */
export interface MessageContext {
  message: Record<string, unknown>;
  /** The message was too large: only its topic, and its event and payload where they fit, are here. */
  shortened: boolean;
}

/**
 * A copy of a message to be kept elsewhere: JSON, without what belongs to this process (`req`, `res`) or to the
 * lease it came under, and without properties that JSON cannot hold. At most `MAX_CONTEXT_BYTES`.
 */
export function toContext(msg: NodeMessage): MessageContext {
  const parts = new Map<string, string>();
  for (const [name, value] of Object.entries(msg)) {
    const text = NOT_KEPT.has(name) ? undefined : jsonOf(value);
    if (text !== undefined) parts.set(name, text);
  }
  if (sizeOf(parts) <= MAX_CONTEXT_BYTES) return { message: readParts(parts), shortened: false };
  const kept = new Map<string, string>();
  for (const name of MOST_WANTED) {
    const text = parts.get(name);
    if (text === undefined) continue;
    kept.set(name, text);
    if (sizeOf(kept) > MAX_CONTEXT_BYTES) kept.delete(name);
  }
  return { message: readParts(kept), shortened: true };
}

/** The message of a context that came back, or null where it is none of ours. */
export function fromContext(context: unknown): NodeMessage | null {
  const { message } = (context ?? {}) as Partial<MessageContext>;
  return typeof message === 'object' && message !== null ? { ...message } : null;
}

const NOT_KEPT: ReadonlySet<string> = new Set(['req', 'res', 'hookline', 'delivery', 'error', '_event']);

/** In the order in which they are kept where not all of them fit. */
const MOST_WANTED = ['_msgid', 'topic', 'event', 'payload'];

/** Room for the names around the message. */
const FRAME_BYTES = 64;

function jsonOf(value: unknown): string | undefined {
  try {
    const text: unknown = JSON.stringify(value);
    // Of a function, a symbol or `undefined` JSON makes nothing.
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

function sizeOf(parts: ReadonlyMap<string, string>): number {
  let bytes = FRAME_BYTES;
  for (const [name, text] of parts)
    bytes += Buffer.byteLength(JSON.stringify(name)) + Buffer.byteLength(text) + 2;
  return bytes;
}

function readParts(parts: ReadonlyMap<string, string>): Record<string, unknown> {
  return Object.fromEntries([...parts].map(([name, text]) => [name, JSON.parse(text) as unknown]));
}
