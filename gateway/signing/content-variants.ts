import { headerValues } from './digest-candidates.ts';
import { restringifiedBody } from './restringified-body.ts';
import type { IncomingHeaders } from './verification.ts';

/** Something that a sender may have signed. */
export interface ContentVariant {
  name: string;
  /** To be hashed one after the other. */
  parts: (string | Uint8Array)[];
  byteLength: number;
}

/** What may have been signed, likeliest first: forms of the body, alone and with a time and an id from the headers. */
export function* contentVariants(body: Uint8Array, headers: IncomingHeaders): Generator<ContentVariant> {
  const bodies = bodyVariants(body);
  for (const { name, bytes } of bodies) yield variant(name, [bytes]);
  const times = timesIn(headers);
  const ids = idsIn(headers);
  for (const { name, bytes } of bodies) {
    for (const time of times) {
      yield variant(`${time.name}, ".", ${name}`, [time.text, '.', bytes]);
      yield variant(`${time.name}, ":", ${name}`, [time.text, ':', bytes]);
      yield variant(`${time.name}, ${name}`, [time.text, bytes]);
      yield variant(`"v0:", ${time.name}, ":", ${name}`, ['v0:', time.text, ':', bytes]);
      for (const id of ids) {
        yield variant(`${id.name}, ".", ${time.name}, ".", ${name}`, [id.text, '.', time.text, '.', bytes]);
      }
    }
    for (const id of ids) yield variant(`${id.name}, ".", ${name}`, [id.text, '.', bytes]);
  }
  yield variant('an empty body', ['']);
}

interface Named {
  name: string;
  text: string;
}

const MAX_TIMES = 3;
const MAX_IDS = 3;

function variant(name: string, parts: (string | Uint8Array)[]): ContentVariant {
  return { name, parts, byteLength: parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0) };
}

/** The raw body and what careless senders and proxies make of it, each different form once. */
function bodyVariants(body: Uint8Array): { name: string; bytes: Buffer }[] {
  const raw = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const text = raw.toString('latin1');
  const trimmed = trimAscii(text);
  const forms = [{ name: 'the raw body', bytes: raw }];
  const again = restringifiedBody(body);
  if (again !== null) forms.push({ name: 'JSON.stringify(JSON.parse(body))', bytes: Buffer.from(again) });
  // Through latin1, which keeps every byte as it is.
  forms.push(
    { name: 'the body without the white space around it', bytes: Buffer.from(trimmed, 'latin1') },
    { name: 'the body with a line break after it', bytes: Buffer.from(`${trimmed}\n`, 'latin1') },
    { name: 'the body with LF line ends', bytes: Buffer.from(text.replaceAll('\r\n', '\n'), 'latin1') },
  );
  return forms.filter(
    (form, index) =>
      form.bytes.length > 0 && forms.findIndex((other) => other.bytes.equals(form.bytes)) === index,
  );
}

/** `trim` would also take 0xA0 away, which may be half of a character. */
function trimAscii(text: string): string {
  const isSpace = (index: number): boolean => ' \t\r\n'.includes(text.charAt(index));
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(start)) start += 1;
  while (end > start && isSpace(end - 1)) end -= 1;
  return text.slice(start, end);
}

function timesIn(headers: IncomingHeaders): Named[] {
  const found: Named[] = [];
  for (const [header, value] of headerValues(headers)) {
    const inside = /(?:^|[,;\s])t=(\d{10,13})(?:[,;\s]|$)/.exec(value)?.[1];
    if (inside !== undefined) found.push({ name: `the t of header ${header}`, text: inside });
    else if (/^\d{10}(?:\d{3})?$/.test(value)) found.push({ name: `header ${header}`, text: value });
    else if (/time|date/.test(header) && /^[\x20-\x7e]{8,40}$/.test(value))
      found.push({ name: `header ${header}`, text: value });
  }
  return found.slice(0, MAX_TIMES);
}

function idsIn(headers: IncomingHeaders): Named[] {
  return headerValues(headers)
    .filter(
      ([header, value]) =>
        /(?:^|-)(?:id|delivery|nonce)$/.test(header) && value !== '' && value.length <= 200,
    )
    .map(([header, text]) => ({ name: `header ${header}`, text }))
    .slice(0, MAX_IDS);
}
