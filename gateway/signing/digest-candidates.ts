import type { HmacDigest } from './hmac.ts';
import { MAX_HEADER_CHARS } from './verification.ts';
import type { IncomingHeaders } from './verification.ts';

/** Something in a header that has the length of a digest. */
export interface DigestCandidate {
  header: string;
  /** What stands before it in the header, at most 40 characters. */
  prefix: string;
  encoding: 'hex' | 'hex in upper case' | 'base64' | 'base64 without padding' | 'base64url';
  digest: HmacDigest;
  bytes: Buffer;
}

/** Finds what could be a digest in any header: at most 32 of them, in the first 100 headers. */
export function findDigests(headers: IncomingHeaders): DigestCandidate[] {
  const found: DigestCandidate[] = [];
  for (const [header, value] of headerValues(headers)) {
    for (const match of value.matchAll(HEX)) {
      const bytes = Buffer.from(match[0], 'hex');
      const encoding = /[a-f]/.test(match[0]) ? 'hex' : 'hex in upper case';
      push(found, header, value.slice(0, match.index), encoding, bytes);
    }
    for (const match of value.matchAll(BASE64)) {
      if (WHOLE_HEX.test(match[0])) continue;
      const bytes = Buffer.from(match[0], 'base64');
      push(found, header, value.slice(0, match.index), base64Kind(match[0], bytes), bytes);
    }
  }
  return found.slice(0, MAX_CANDIDATES);
}

/** Header names with their text values, one pair for each time a header came; bounded. */
export function headerValues(headers: IncomingHeaders): [string, string][] {
  return Object.entries(headers)
    .slice(0, MAX_HEADERS)
    .flatMap(([name, value]): [string, string][] => {
      const values = typeof value === 'string' ? [value] : (value ?? []).slice(0, MAX_REPEATS);
      return values.map((text) => [name, text.slice(0, MAX_HEADER_CHARS)]);
    });
}

const MAX_HEADERS = 100;
const MAX_REPEATS = 4;
const MAX_CANDIDATES = 32;
const MAX_PREFIX_CHARS = 40;

const HEX = /(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})(?![0-9A-Fa-f])/g;
const BASE64 = /[A-Za-z0-9+/_-]{43,86}={0,2}/g;
const WHOLE_HEX = /^[0-9A-Fa-f]+$/;

const DIGEST_OF_LENGTH: Readonly<Record<number, HmacDigest>> = { 32: 'sha256', 48: 'sha384', 64: 'sha512' };

function push(
  found: DigestCandidate[],
  header: string,
  before: string,
  encoding: DigestCandidate['encoding'],
  bytes: Buffer,
): void {
  const digest = DIGEST_OF_LENGTH[bytes.length];
  if (digest === undefined) return;
  found.push({ header, prefix: before.slice(-MAX_PREFIX_CHARS), encoding, digest, bytes });
}

function base64Kind(text: string, bytes: Buffer): DigestCandidate['encoding'] {
  if (/[-_]/.test(text)) return 'base64url';
  return text.length < bytes.toString('base64').length ? 'base64 without padding' : 'base64';
}
