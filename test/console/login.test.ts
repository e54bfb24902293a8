import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

async function post(
  gateway: TestGateway,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: gateway.url, ...headers },
    body: JSON.stringify(body),
  });
}

async function loginCode(gateway: TestGateway): Promise<string> {
  const answer = await post(gateway, '/login-link', {}, { authorization: `Bearer ${gateway.adminKey}` });
  const { url } = (await answer.json()) as { url: string };
  expect(url.startsWith(`${gateway.url}/#login=`)).toBe(true);
  return url.split('#login=')[1]!;
}

async function viewer(
  gateway: TestGateway,
  cookie: string,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const answer = await post(gateway, '/graphql', { query: '{ viewer { name } }' }, { cookie, ...headers });
  return ((await answer.json()) as { data?: { viewer?: { name: string } } }).data?.viewer?.name ?? null;
}

/** With a Host header of the test's choice, which fetch does not allow. */
function getWithHost(gateway: TestGateway, path: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: gateway.port, path, headers: { host } },
      (response) => {
        response.resume();
        resolve(response.statusCode!);
      },
    );
    request.on('error', reject);
    request.end();
  });
}

describe('logging in with a browser', () => {
  it('exchanges a one-time code for a session, once', async () => {
    await using gateway = await startTestGateway();
    const code = await loginCode(gateway);
    const answer = await post(gateway, '/login', { code });
    const cookie = answer.headers.get('set-cookie')!;
    expect(cookie).toMatch(/^hookline_session=[\w-]{40,}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=\d+$/);
    expect(await viewer(gateway, cookie.split(';')[0]!)).toBe('admin');
    const again = await post(gateway, '/login', { code });
    expect(again.status).toBe(401);
    expect(again.headers.get('set-cookie')).toBeNull();
  });

  it('ends the session at logout', async () => {
    await using gateway = await startTestGateway();
    const answer = await post(gateway, '/login', { key: gateway.adminKey });
    const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
    expect(await viewer(gateway, cookie)).toBe('admin');
    await post(gateway, '/logout', {}, { cookie });
    expect(await viewer(gateway, cookie)).toBeNull();
  });

  it('makes no session from a key that is not an admin’s', async () => {
    await using gateway = await startTestGateway();
    const { secret } = await gateway.services.keys.create({ name: 'reader', scopes: ['events:read'] });
    for (const key of [secret, 'sk-wrong']) {
      const answer = await post(gateway, '/login', { key });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
    expect((await post(gateway, '/login-link', {}, { authorization: `Bearer ${secret}` })).status).toBe(403);
    expect((await post(gateway, '/login-link', {})).status).toBe(403);
  });

  it('accepts a session only from its own pages', async () => {
    await using gateway = await startTestGateway();
    const answer = await post(gateway, '/login', { code: await loginCode(gateway) });
    const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
    expect(await viewer(gateway, cookie, { origin: 'https://elsewhere.example' })).toBeNull();
    const foreign = await post(
      gateway,
      '/login',
      { key: gateway.adminKey },
      { origin: 'https://elsewhere.example' },
    );
    expect(foreign.status).toBe(403);
  });

  it('does not go by a host name of somebody else', async () => {
    await using gateway = await startTestGateway();
    expect(await getWithHost(gateway, '/', 'rebound.example')).toBe(403);
    expect(await getWithHost(gateway, '/', `localhost:${gateway.port}`)).toBe(200);
    expect(await getWithHost(gateway, '/healthz', 'rebound.example')).toBe(200);
  });

  it('serves a page that fetches nothing from outside', async () => {
    await using gateway = await startTestGateway();
    const page = await fetch(gateway.url);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const text = await page.text();
    expect(text).not.toMatch(/https?:\/\//);
    for (const [, path] of text.matchAll(/(?:href|src)="([\w.]+)"/g)) {
      expect((await fetch(new URL(path!, gateway.url), { headers: { accept: 'text/html' } })).status).toBe(
        200,
      );
    }
  });
});
