import { isIP } from 'node:net';

import ipaddr from 'ipaddr.js';

import { parseDuration } from '../duration.ts';

/*
 * Readers of single settings. Each takes the text as the operator wrote it, without surrounding blanks, and
 * returns the checked value, or null for what is not acceptable.
 */

/** A host name or an IP address to listen on; brackets around IPv6 are accepted and removed. */
export function readHost(text: string): string | null {
  const bare = /^\[(.+)\]$/.exec(text)?.[1] ?? text;
  if (isIP(bare) !== 0) return bare;
  return /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(bare)
    ? bare
    : null;
}

/** 0 lets the system choose. */
export function readPort(text: string): number | null {
  const port = readWholeNumber(text);
  return port !== null && port <= 65_535 ? port : null;
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** Bytes: `1MiB`, `64KiB`, `1MB`, `123`. */
export function readSize(text: string): number | null {
  const match = /^(\d{1,12})(B|KB|MB|GB|KiB|MiB|GiB)?$/.exec(text);
  const unit = SIZE_UNITS[match?.[2] ?? ''];
  return match && unit ? Number(match[1]) * unit : null;
}

/** Milliseconds, one for each part of a comma list. */
export function readDurations(text: string): number[] | null {
  return readList(text, parseDuration);
}

/** Any text: judged where it is used. */
export function readText(text: string): string | null {
  return text;
}

/** The parts of a comma list as they are; an empty text is an empty list. */
export function readTexts(text: string): string[] | null {
  return readList(text, readText);
}

/** The address seen from outside: http or https, a path prefix perhaps; comes back without a slash at its end. */
export function readPublicUrl(text: string): string | null {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) return null;
  if (url.username || url.password || url.search || url.hash) return null;
  return url.href.replace(/\/+$/, '');
}

/** Origins as browsers send them: scheme, host and port, nothing behind. */
export function readOrigins(text: string): string[] | null {
  return readList(text, (part) => {
    const url = URL.parse(part);
    return url && /^https?:$/.test(url.protocol) && url.origin === part.replace(/\/$/, '')
      ? url.origin
      : null;
  });
}

/** CIDRs; a single address stands for itself alone. */
export function readNetworks(text: string): string[] | null {
  return readList(text, (part) => {
    const network = part.includes('/') ? part : `${part}/${isIP(part) === 6 ? 128 : 32}`;
    const [address = ''] = network.split('/');
    return isIP(address) !== 0 && ipaddr.isValidCIDR(network) ? network : null;
  });
}

/** A time zone by its IANA name. */
export function readTimeZone(text: string): string | null {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}

/** Dotted paths into an event's data, such as `operator.name`. */
export function readPaths(text: string): string[] | null {
  return readList(text, (part) => (/^[\w$-]+(\.[\w$-]+)*$/.test(part) ? part : null));
}

/** A key or a secret that is typed or pasted: 16 to 200 visible characters. */
export function readKey(text: string): string | null {
  return /^[\x21-\x7e]{16,200}$/.test(text) ? text : null;
}

/** A signing secret that comes from elsewhere: `whsec_` and base64, or any text; 16 to 64 bytes either way. */
export function readSecret(text: string): string | null {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
  const bytes = base64 === undefined ? Buffer.from(text) : Buffer.from(base64, 'base64');
  return bytes.length >= 16 && bytes.length <= 64 ? text : null;
}

function readWholeNumber(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** All or nothing: one unacceptable part makes the whole list unacceptable. */
function readList<Value>(text: string, readPart: (part: string) => Value | null): Value[] | null {
  if (text.trim() === '') return [];
  const values: Value[] = [];
  for (const part of text.split(',')) {
    const value = part.trim() === '' ? null : readPart(part.trim());
    if (value === null) return null;
    values.push(value);
  }
  return values;
}
