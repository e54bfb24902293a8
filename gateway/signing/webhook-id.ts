import { createHash } from 'node:crypto';

/** The longest id that is sent as it is, in characters. */
export const MAX_WEBHOOK_ID_CHARS = 200;

/**
 * The `webhook-id` of an event: its id where that is an HTTP token (RFC 9110, 5.6.2) without `.` and of at most
 * 200 characters, else `<cleaned>_<hash16>`: at most 180 characters of the id with `-` for each one that cannot be
 * sent, and the first 16 hex characters of the id's SHA-256. The same for the same id, always.
 *
 * Different ids get different ones. Two ids that are both rewritten would have to agree in 64 bits of SHA-256 and in
 * what is left of their text. An id that is sent as it is and happens to end in `_` and 16 hex characters can only
 * equal a rewritten one if those are the hash of that other id, which by chance is one in 2^64 for each pair: nobody
 * meets it without computing the hash of an id known to him and using the result as an id of his own.
 */
export function webhookIdHeader(eventId: string): string {
  if (isWebhookId(eventId)) return eventId;
  const cleaned = eventId.slice(0, MAX_CLEANED_CHARS).replace(NOT_TOKEN, '-');
  return `${cleaned}_${hash16(eventId)}`;
}

/** Can it be sent as `webhook-id` unchanged? */
export function isWebhookId(text: string): boolean {
  return text.length <= MAX_WEBHOOK_ID_CHARS && TOKEN.test(text);
}

const MAX_CLEANED_CHARS = 180;

// The token characters but for `.`, which separates the parts of the signed content.
const TOKEN = /^[!#$%&'*+\-^_`|~0-9A-Za-z]+$/;
const NOT_TOKEN = /[^!#$%&'*+\-^_`|~0-9A-Za-z]/g;

function hash16(text: string): string {
  // As UTF-8 all lone surrogates become the same character; such ids are told apart by their UTF-16.
  const bytes = Buffer.from(text, text.isWellFormed() ? 'utf8' : 'utf16le');
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
