import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ADMIN_PRINCIPAL } from '../../gateway/access/keys.ts';
import {
  cookieHeader,
  createSessionService,
  LOGIN_CODE_LIFE_MS,
  readSessionCookie,
  SESSION_LIFE_MS,
} from '../../gateway/access/sessions.ts';
import { createManualClock } from '../support/manual-clock.ts';

function setUp() {
  const clock = createManualClock();
  return {
    clock,
    sessions: createSessionService({ clock, random: randomBytes, principal: ADMIN_PRINCIPAL }),
  };
}

it('exchanges a login code once for a session', () => {
  const { sessions } = setUp();
  const code = sessions.createLoginCode();
  const cookie = sessions.exchange(code);
  expect(cookie).toMatch(/^[\w-]{43}$/);
  expect(sessions.authenticate(cookie!)).toBe(ADMIN_PRINCIPAL);
  expect(sessions.exchange(code)).toBeNull();
  expect(sessions.authenticate(code)).toBeNull();
});

it('refuses a code that is wrong or older than ten minutes', () => {
  const { sessions, clock } = setUp();
  const [early, late] = [sessions.createLoginCode(), sessions.createLoginCode()];
  expect(sessions.exchange('')).toBeNull();
  expect(sessions.exchange(`${early}x`)).toBeNull();
  clock.advance(LOGIN_CODE_LIFE_MS - 1);
  expect(sessions.exchange(early)).not.toBeNull();
  clock.advance(1);
  expect(sessions.exchange(late)).toBeNull();
});

it('ends a session after twelve hours, and when asked', () => {
  const { sessions, clock } = setUp();
  const lasting = sessions.exchange(sessions.createLoginCode())!;
  const ended = sessions.exchange(sessions.createLoginCode())!;
  sessions.end(ended);
  expect(sessions.authenticate(ended)).toBeNull();
  clock.advance(SESSION_LIFE_MS - 1);
  expect(sessions.authenticate(lasting)).not.toBeNull();
  clock.advance(1);
  expect(sessions.authenticate(lasting)).toBeNull();
});

it('keeps a bounded number of codes: the oldest give way', () => {
  const { sessions } = setUp();
  const first = sessions.createLoginCode();
  const codes = Array.from({ length: 100 }, () => sessions.createLoginCode());
  expect(sessions.exchange(first)).toBeNull();
  expect(sessions.exchange(codes[0]!)).not.toBeNull();
});

it('sets a cookie that scripts and other sites cannot use', () => {
  expect(cookieHeader('abc', { secure: false, path: '/' })).toBe(
    'hookline_session=abc; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200',
  );
  expect(cookieHeader('abc', { secure: true, path: '/hooks/' })).toMatch(/Path=\/hooks\/; .*; Secure$/);
  expect(cookieHeader(null, { secure: false, path: '/' })).toMatch(/^hookline_session=; .*Max-Age=0$/);
});

it('finds its cookie among others', () => {
  expect(readSessionCookie('a=b; hookline_session=xyz; c=d')).toBe('xyz');
  for (const header of [
    undefined,
    '',
    'a=b',
    'hookline_session=',
    'hookline_session',
    'xhookline_session=1',
  ]) {
    expect(readSessionCookie(header)).toBeNull();
  }
  fc.assert(fc.property(fc.string(), (header) => void readSessionCookie(header)));
});
