import type { Event } from '../events/event.ts';
import { compileTypeFilter } from '../events/subscription.ts';
import type { DeliveryRow, DeliveryWhere, EventWhere } from '../store/store-reader.ts';

/** The same choice the store makes for a page, for what a stream brings. */
export function compileEventMatcher(where: EventWhere): (event: Event) => boolean {
  const isOfType = typeMatcher(where.types);
  const isOfSource = memberMatcher(where.sources);
  const isOfMachine = memberMatcher(where.machines);
  const isInTime = timeMatcher(where);
  return (event) =>
    isOfType(event.type) &&
    isOfSource(event.source) &&
    isOfMachine(event.machine?.id ?? null) &&
    isInTime(event.receivedAt) &&
    (where.test === undefined || where.test === event.test);
}

/** The same choice the store makes for a page, for what a stream brings. */
export function compileDeliveryMatcher(where: DeliveryWhere): (delivery: DeliveryRow) => boolean {
  const isOfType = typeMatcher(where.types);
  const isToEndpoint = memberMatcher(where.endpointIds);
  const isOfEvent = memberMatcher(where.eventIds);
  const isInStatus = memberMatcher(where.statuses);
  const isInTime = timeMatcher(where);
  return (delivery) =>
    isOfType(delivery.eventType) &&
    isToEndpoint(delivery.endpointId) &&
    isOfEvent(delivery.eventId) &&
    isInStatus(delivery.status) &&
    isInTime(delivery.createdAt) &&
    (where.test === undefined || where.test === delivery.test);
}

function typeMatcher(types: readonly string[] | undefined): (type: string) => boolean {
  return types === undefined ? () => true : compileTypeFilter(types);
}

function memberMatcher(members: readonly string[] | undefined): (member: string | null) => boolean {
  if (members === undefined) return () => true;
  const set = new Set(members);
  return (member) => member !== null && set.has(member);
}

/** `since` inclusive, `until` exclusive. */
function timeMatcher({ since, until }: { since?: number; until?: number }): (at: number) => boolean {
  return (at) => (since === undefined || at >= since) && (until === undefined || at < until);
}
