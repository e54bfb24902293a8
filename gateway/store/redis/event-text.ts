import type { Event } from '../../events/event.ts';
import { toPlainJson } from './plain-json.ts';

/** All of an event but its body, as one line of JSON; the received bytes, where they differ, in base64. */
type Details = Omit<Event, 'body' | 'raw'> & { raw: string | null };

/** The text that is stored: a line of JSON, and the body as it is. The body needs no escaping this way. */
export function writeEventText(event: Event): string {
  const { body, raw, ...rest } = event;
  const details: Details = { ...rest, raw: raw === null ? null : Buffer.from(raw).toString('base64') };
  return `${toPlainJson(details)}\n${body}`;
}

export function readEventText(stored: string): Event {
  const bodyFrom = stored.indexOf('\n') + 1;
  const { raw, ...details } = JSON.parse(stored.slice(0, bodyFrom - 1)) as Details;
  return {
    ...details,
    body: stored.slice(bodyFrom),
    raw: raw === null ? null : new Uint8Array(Buffer.from(raw, 'base64')),
  };
}
