import { expect, it } from 'vitest';
import { createBadKeyLimit } from '../../gateway/access/rate-limit.ts';
import { requestPrincipal } from '../../gateway/access/request-principal.ts';
import type { RequestToAuthenticate } from '../../gateway/access/request-principal.ts';
import type { Principal } from '../../gateway/services.ts';
import { createManualClock } from '../support/manual-clock.ts';

const keyHolder: Principal = { keyId: 'key_1', name: 'key', scopes: new Set(['events:read']) };
const browser: Principal = { keyId: 'key_admin', name: 'browser', scopes: new Set(['admin']) };
const ORIGIN = 'http://localhost:4000';

function ask(request: Partial<RequestToAuthenticate>): Principal | null {
  const lookup = {
    keys: { authenticate: (bearer: string) => (bearer === 'sk-right' ? keyHolder : null) },
    sessions: { authenticate: (cookie: string) => (cookie === 'good' ? browser : null) },
    badKeys: createBadKeyLimit(createManualClock()),
    allowedOrigins: [ORIGIN, 'https://hooks.plant.example'],
  };
  return requestPrincipal(
    { method: 'GET', headers: {}, isUpgrade: false, address: '10.0.0.1', ...request },
    lookup,
  );
}

const cookie = 'hookline_session=good';

it('takes a bearer key in any case of the word', () => {
  expect(ask({ headers: { authorization: 'Bearer sk-right' } })).toBe(keyHolder);
  expect(ask({ headers: { authorization: 'bearer  sk-right ' } })).toBe(keyHolder);
});

it('refuses everything else that stands in Authorization, whatever cookie comes along', () => {
  for (const authorization of [
    'Bearer sk-wrong',
    'Basic sk-right',
    'sk-right',
    'Bearer',
    'Bearer sk-right x',
    '',
  ]) {
    expect(ask({ headers: { authorization, cookie, origin: ORIGIN } })).toBeNull();
  }
  expect(ask({ headers: { authorization: ['Bearer sk-right', 'Bearer sk-right'] } })).toBeNull();
});

it('is nobody without a key and without a session', () => {
  expect(ask({})).toBeNull();
  expect(ask({ headers: { cookie: 'hookline_session=bad', origin: ORIGIN } })).toBeNull();
});

it('takes a session only from an origin of ours, to the letter, where something changes or stays open', () => {
  const demanding: Partial<RequestToAuthenticate>[] = [
    { method: 'POST' },
    { method: 'GET', isUpgrade: true },
    { method: 'GET', headers: { accept: 'text/event-stream' } },
    { method: 'GET', headers: { accept: 'application/json, Text/Event-Stream' } },
  ];
  for (const request of demanding) {
    const from = (origin?: string) =>
      ask({
        ...request,
        headers: { ...request.headers, cookie, ...(origin === undefined ? {} : { origin }) },
      });
    expect(from(ORIGIN)).toBe(browser);
    expect(from('https://hooks.plant.example')).toBe(browser);
    for (const other of [
      undefined,
      'null',
      'http://localhost:1880',
      'http://localhost:4000.evil.example',
      `${ORIGIN}/`,
    ]) {
      expect(from(other)).toBeNull();
    }
  }
});

it('takes a session for a plain read of our own page, and not for one that another page causes', () => {
  expect(ask({ headers: { cookie } })).toBe(browser);
  expect(ask({ headers: { cookie, 'sec-fetch-site': 'same-origin' } })).toBe(browser);
  expect(ask({ headers: { cookie, 'sec-fetch-site': 'none' } })).toBe(browser);
  expect(ask({ headers: { cookie, 'sec-fetch-site': 'same-site' } })).toBeNull();
  expect(ask({ headers: { cookie, origin: 'http://localhost:1880' } })).toBeNull();
});
