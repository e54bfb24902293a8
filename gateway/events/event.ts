/** Where an event happened, when the sender says so. All members are the sender's own words. */
export interface MachineRef {
  id: string;
  name?: string;
  group?: string;
}

/**
 * What happened, in the one shape every stage understands.
 *
 * `body` is exactly what subscribers receive: `JSON.stringify({ id, type, timestamp, data })`.
 * It is made once, when the event is accepted, and never again.
 */
export interface Event {
  /** Public id: the sender's own, or derived (see `ingest/`). Stays the same on every retry. */
  id: string;
  /** Name of the source it came through, `null` for one published over the API. */
  source: string | null;
  /** Event type in the vendor's spelling, e.g. `work_order.created`. */
  type: string;
  /** When it happened, Unix milliseconds; `receivedAt` where the sender does not say. */
  occurredAt: number;
  /** When it was accepted, Unix milliseconds. */
  receivedAt: number;
  machine: MachineRef | null;
  /** A test event: marked everywhere, ignored by triggers unless they ask for it. */
  test: boolean;
  /** How many times the event went through Hookline already; refused at 5 (loops). */
  hops: number;
  /** The envelope that is delivered, as UTF-8 JSON text. */
  body: string;
  /** The bytes that were received, where they differ from `body`; `null` where they are the same. */
  raw: Uint8Array | null;
  /** The signature was valid only over the re-stringified JSON (`lenientJson` sources). */
  verifiedLeniently: boolean;
}

/** The members of the envelope that subscribers receive. */
export interface Envelope {
  id: string;
  type: string;
  /** ISO 8601, UTC. */
  timestamp: string;
  data: unknown;
}

/** Ids with these prefixes are ours; a sender's id that uses one is prefixed with its source. */
export const OWN_ID_PREFIXES = ['ep_', 'dlv_', 'run_', 'wf_', 'src_', 'key_', 'bin_', 'msg_'] as const;

/** The delivered form of an event. Always plain `JSON.stringify`, so that naive verifiers accept it too. */
export function envelopeBody(envelope: Envelope): string {
  const { id, type, timestamp, data } = envelope;
  return JSON.stringify({ id, type, timestamp, data });
}

/** The event's data as subscribers see it. Parses `body`: keep it off hot paths. */
export function eventData(event: Pick<Event, 'body'>): unknown {
  return (JSON.parse(event.body) as Envelope).data;
}

/**
 * The same event under another id: the delivered envelope carries the new one, the received bytes are kept.
 * Needed where a sender's id is taken by another source.
 */
export function withId(event: Event, id: string): Event {
  if (event.id === id) return event;
  const body = envelopeBody({ ...(JSON.parse(event.body) as Envelope), id });
  return { ...event, id, body, raw: event.raw ?? new TextEncoder().encode(event.body) };
}

/** An id that looks like one of ours is told apart by where it came from. */
export function withoutOwnPrefix(id: string, source: string): string {
  return OWN_ID_PREFIXES.some((prefix) => id.startsWith(prefix)) ? `${source}:${id}` : id;
}

/** ISO 8601, UTC; without milliseconds where there are none, as the vendors write it. */
export function formatTimestamp(at: number): string {
  const text = new Date(at).toISOString();
  return text.endsWith('.000Z') ? `${text.slice(0, -5)}Z` : text;
}
