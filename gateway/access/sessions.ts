import type { Clock } from '../clock.ts';
import type { Principal, SessionService } from '../services.ts';
import type { RandomBytes } from '../signing/secret.ts';
import { hashBearerSecret } from './key-hash.ts';

/** The name of the cookie that holds a browser's session. */
export const SESSION_COOKIE = 'hookline_session';

/** How long a login link can be used. */
export const LOGIN_CODE_LIFE_MS = 10 * 60_000;

/** How long a browser stays logged in. */
export const SESSION_LIFE_MS = 12 * 3_600_000;

export interface SessionServiceOptions {
  clock: Clock;
  random: RandomBytes;
  /** Who a logged-in browser is. */
  principal: Principal;
}

/**
 * Browser sessions, in this process's memory: a restart logs every browser out, and a session is good only at the
 * process that made it. The oldest give way where there are very many.
 */
export function createSessionService({ clock, random, principal }: SessionServiceOptions): SessionService {
  const codes = createExpiringSet(clock, LOGIN_CODE_LIFE_MS, MAX_CODES);
  const sessions = createExpiringSet(clock, SESSION_LIFE_MS, MAX_SESSIONS);
  const randomToken = (): string => Buffer.from(random(32)).toString('base64url');
  return {
    createLoginCode() {
      const code = randomToken();
      codes.add(code);
      return code;
    },
    exchange(code) {
      if (!codes.delete(code)) return null;
      const value = randomToken();
      sessions.add(value);
      return value;
    },
    authenticate: (cookie) => (sessions.has(cookie) ? principal : null),
    end: (cookie) => void sessions.delete(cookie),
  };
}

/**
 * The `Set-Cookie` value that begins a session, or ends it.
 * @param value the session's, null to log out
 * @param options.secure true where browsers reach the gateway by https
 * @param options.path the path prefix of the public URL, `/` without one
 */
export function cookieHeader(value: string | null, options: { secure: boolean; path: string }): string {
  const ageSeconds = value === null ? 0 : SESSION_LIFE_MS / 1000;
  const parts = [
    `${SESSION_COOKIE}=${value ?? ''}`,
    'HttpOnly',
    'SameSite=Strict',
    `Path=${options.path}`,
    `Max-Age=${ageSeconds}`,
  ];
  if (options.secure) parts.push('Secure');
  return parts.join('; ');
}

/** The session's value in a `Cookie` header, null where there is none. */
export function readSessionCookie(header: string | undefined): string | null {
  for (const pair of header?.split(';') ?? []) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === SESSION_COOKIE && value !== undefined && value !== '') return value;
  }
  return null;
}

const MAX_CODES = 100;
const MAX_SESSIONS = 1000;

interface ExpiringSet {
  add(token: string): void;
  /** False for one that has expired. */
  has(token: string): boolean;
  /** @returns whether it was there and good. */
  delete(token: string): boolean;
}

/** Holds hashes, so that looking a token up takes no time that depends on it, and a memory dump shows none. */
function createExpiringSet(clock: Clock, lifeMs: number, limit: number): ExpiringSet {
  const expiryByHash = new Map<string, number>();
  const isGood = (hash: string): boolean => (expiryByHash.get(hash) ?? 0) > clock.now();
  return {
    add(token) {
      // All live equally long, so the first ones are the ones that go first.
      for (const [hash, expiry] of expiryByHash) {
        if (expiry > clock.now() && expiryByHash.size < limit) break;
        expiryByHash.delete(hash);
      }
      expiryByHash.set(hashBearerSecret(token), clock.now() + lifeMs);
    },
    has: (token) => isGood(hashBearerSecret(token)),
    delete(token) {
      const hash = hashBearerSecret(token);
      const wasGood = isGood(hash);
      expiryByHash.delete(hash);
      return wasGood;
    },
  };
}
