import type { KeyService, Principal, SessionService } from '../services.ts';
import type { IncomingHeaders } from '../signing/verification.ts';
import type { BadKeyLimit } from './rate-limit.ts';
import { readSessionCookie } from './sessions.ts';

/** What is looked at of a request, or of a websocket's `connection_init` (its payload as the headers). */
export interface RequestToAuthenticate {
  method: string;
  /** Lower-case names. */
  headers: IncomingHeaders;
  isUpgrade: boolean;
  /** The peer's address, for the limit on wrong keys. */
  address: string;
}

export interface PrincipalLookup {
  keys: Pick<KeyService, 'authenticate'>;
  sessions: Pick<SessionService, 'authenticate'>;
  badKeys: BadKeyLimit;
  /** Origins the console may be served from, e.g. `http://localhost:4000`. Compared to the letter. */
  allowedOrigins: readonly string[];
}

/**
 * Who sends this request: `Authorization: Bearer <key>` decides where it is there, whatever cookie comes along;
 * else the session cookie, which a browser attaches by itself and which therefore counts only from our own pages.
 * @returns null where nobody valid does
 * @throws RATE_LIMITED after too many wrong keys from this address
 */
export function requestPrincipal(request: RequestToAuthenticate, lookup: PrincipalLookup): Principal | null {
  const authorization = single(request.headers['authorization']);
  if (authorization !== undefined) {
    const [, bearer] = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization) ?? [];
    const principal = bearer === undefined ? null : lookup.keys.authenticate(bearer);
    if (principal === null) lookup.badKeys.countBad(request.address);
    else lookup.badKeys.letPass(request.address, principal.keyId);
    return principal;
  }
  const cookie = readSessionCookie(single(request.headers['cookie']));
  if (cookie === null || !isFromOwnPage(request, lookup.allowedOrigins)) return null;
  return lookup.sessions.authenticate(cookie);
}

/**
 * Whatever changes something or stays open needs an `Origin` of ours. A plain GET of our own page carries none; there
 * the browser's own word is taken (`Sec-Fetch-Site`), where it gives one: a GET never changes anything.
 */
function isFromOwnPage(
  { method, headers, isUpgrade }: RequestToAuthenticate,
  allowed: readonly string[],
): boolean {
  const origin = single(headers['origin']);
  if (origin !== undefined) return allowed.includes(origin);
  const isPlainRead =
    !isUpgrade &&
    (method === 'GET' || method === 'HEAD') &&
    !(single(headers['accept']) ?? '').toLowerCase().includes('text/event-stream');
  const site = single(headers['sec-fetch-site']);
  return isPlainRead && (site === undefined || site === 'same-origin' || site === 'none');
}

/** A header that came more than once says nothing that could be trusted. */
function single(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(', ');
}
