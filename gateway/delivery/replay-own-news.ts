import { eventData, type Event } from '../events/event.ts';
import { isOperationalType } from '../events/subscription.ts';

/**
 * True for an operational event about this very endpoint: it is never told about itself, neither when that
 * happens nor by a replay, or its failures would cause more of them.
 */
export function isOwnNews(event: Pick<Event, 'type' | 'body'>, endpointId: string): boolean {
  if (!isOperationalType(event.type)) return false;
  const data = eventData(event) as { endpoint?: { id?: unknown } | null } | null;
  return data?.endpoint?.id === endpointId;
}
