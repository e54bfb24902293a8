/** An event as flows see it, in `msg.event`. */
export interface FlowEvent {
  id: string;
  type: string;
  /** ISO 8601, UTC. */
  occurredAt: string;
  /** ISO 8601, UTC. */
  receivedAt: string;
  /** Name of the source it came through; `null` for one that was published over the API. */
  source: string | null;
  /** Where it happened, in the sender's words; `null` where the sender does not say. */
  machine: { id: string; name: string | null; group: string | null } | null;
  data: unknown;
  /** A test, not something that happened. */
  test: boolean;
  /** How many times it went through the gateway already; refused at 5, so that loops end. */
  hops: number;
}

/** An event as the gateway's API returns it. */
export interface WireEvent extends Omit<FlowEvent, 'source'> {
  source: { name: string } | null;
}

/** The fields of an event that make a `WireEvent`, for a GraphQL document. */
export const EVENT_FIELDS =
  'id type occurredAt receivedAt source { name } machine { id name group } data test hops';

/** An event as flows see it, from what the API returned. */
export function flowEvent(event: WireEvent): FlowEvent {
  const { id, type, occurredAt, receivedAt, source, machine, data, test, hops } = event;
  return { id, type, occurredAt, receivedAt, source: source?.name ?? null, machine, data, test, hops };
}
