import { visibleHeaders, visibleUrl } from '../graphql/secret-masking.ts';
import type { Endpoint, Principal } from '../services.ts';
import type { DeliveryRow } from '../store/store-reader.ts';

/** An endpoint as the REST API shows it: times in ISO 8601, what is secret masked for who may not change it. */
export function endpointJson(endpoint: Endpoint, reader: Principal): Record<string, unknown> {
  const { id, kind, events, active, ...settings } = endpoint;
  // What tells one endpoint from another comes first, for whoever reads the answer in a terminal.
  return {
    id,
    kind,
    url: visibleUrl(endpoint, reader),
    events,
    active,
    ...withoutUrl(settings),
    headers: visibleHeaders(endpoint, reader),
    retiredAt: isoTime(endpoint.retiredAt),
    createdAt: isoTime(endpoint.createdAt),
    updatedAt: isoTime(endpoint.updatedAt),
  };
}

function withoutUrl<Settings extends { url: string }>({
  url: _url,
  ...rest
}: Settings): Omit<Settings, 'url'> {
  return rest;
}

/** A delivery as the REST API shows it. */
export function deliveryJson(delivery: DeliveryRow): Record<string, unknown> {
  const { id, eventId, eventType, endpointId, status, reason, attemptCount, test } = delivery;
  return {
    id,
    eventId,
    eventType,
    endpointId,
    status,
    reason,
    attemptCount,
    nextAttemptAt: isoTime(delivery.nextAttemptAt),
    createdAt: isoTime(delivery.createdAt),
    completedAt: isoTime(delivery.completedAt),
    test,
  };
}

/** Unix ms as ISO 8601, UTC. */
export function isoTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
