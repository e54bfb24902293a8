import type { IncomingMessage, ServerResponse } from 'node:http';
import { cookieHeader, readSessionCookie } from '../access/sessions.ts';
import { HooklineError } from '../errors.ts';
import { sendError, sendJson, type HttpHandler } from '../http-server.ts';
import { readBody } from '../ingest/read-body.ts';
import type { Principal, Services } from '../services.ts';
import { ICON, LOGIN_PAGE, LOGIN_SCRIPT, LOGIN_STYLE, PAGE_HEADERS } from './login-page.ts';

export interface LoginRoutesOptions {
  services: Pick<Services, 'keys' | 'sessions'>;
  /** By key or session. */
  authenticate: (request: IncomingMessage) => Principal | null;
  /** The gateway's address as browsers see it, without a slash at its end. */
  baseUrl: () => string;
  /** Where the flow editor is; null without one. */
  editorUrl: () => string | null;
  /** Origins a login may come from, compared to the letter. */
  isOwnOrigin: (origin: string) => boolean;
}

const MAX_LOGIN_BYTES = 4096;

/** The page at `/`, and how a browser gets its session: a one-time code, or an admin key. */
export function createLoginRoutes(options: LoginRoutesOptions): HttpHandler {
  const { services, authenticate, baseUrl, editorUrl, isOwnOrigin } = options;
  const cookieOptions = (): { secure: boolean; path: string } => {
    const { protocol, pathname } = new URL(baseUrl());
    return { secure: protocol === 'https:', path: pathname };
  };

  const logIn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { code, key } = await readCredentials(request);
    let session: string | null = null;
    if (typeof code === 'string') session = services.sessions.exchange(code);
    else if (typeof key === 'string') {
      // A session can do all that an admin can: no lesser key may become one.
      const isAdmin = services.keys.authenticate(key)?.scopes.has('admin') ?? false;
      if (isAdmin) session = services.sessions.exchange(services.sessions.createLoginCode());
    }
    if (session === null) {
      const message =
        typeof code === 'string'
          ? 'This link was used already or is older than 10 minutes; `hookline login` prints a new one.'
          : 'This is no key with the scope admin.';
      throw new HooklineError('UNAUTHENTICATED', message);
    }
    sendJson(response, 200, { ok: true }, { 'set-cookie': cookieHeader(session, cookieOptions()) });
  };

  const post = async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    if (path === '/login-link') {
      const principal = authenticate(request);
      if (!principal?.scopes.has('admin'))
        throw new HooklineError('FORBIDDEN', 'A login link needs a key with the scope admin.');
      sendJson(response, 200, { url: `${baseUrl()}/#login=${services.sessions.createLoginCode()}` });
      return;
    }
    const { origin } = request.headers;
    if (origin !== undefined && !isOwnOrigin(origin))
      throw new HooklineError('FORBIDDEN', 'Log in from the gateway’s own page.');
    if (path === '/login') {
      await logIn(request, response);
      return;
    }
    const session = readSessionCookie(request.headers.cookie);
    if (session !== null) services.sessions.end(session);
    sendJson(response, 200, { ok: true }, { 'set-cookie': cookieHeader(null, cookieOptions()) });
  };

  return async (request, response, path) => {
    const page = PAGES[path];
    if (page && (request.method === 'GET' || request.method === 'HEAD')) {
      response.writeHead(200, { 'content-type': page.type, ...PAGE_HEADERS });
      response.end(page.content);
      return true;
    }
    if (path === '/login.json') {
      sendJson(response, 200, { editorUrl: editorUrl() });
      return true;
    }
    if (path !== '/login' && path !== '/logout' && path !== '/login-link') return false;
    try {
      if (request.method !== 'POST') throw new HooklineError('BAD_USER_INPUT', `${path} takes POST only.`);
      await post(request, response, path);
    } catch (error) {
      if (!(error instanceof HooklineError)) throw error;
      request.resume();
      sendError(response, error);
    }
    return true;
  };
}

const PAGES: Readonly<Record<string, { type: string; content: string }>> = {
  '/': { type: 'text/html; charset=utf-8', content: LOGIN_PAGE },
  '/favicon.ico': { type: 'image/svg+xml', content: ICON },
  '/login.css': { type: 'text/css; charset=utf-8', content: LOGIN_STYLE },
  '/login.js': { type: 'text/javascript; charset=utf-8', content: LOGIN_SCRIPT },
};

async function readCredentials(request: IncomingMessage): Promise<{ code?: unknown; key?: unknown }> {
  const body = await readBody(request, MAX_LOGIN_BYTES);
  try {
    const credentials = typeof body === 'string' ? null : (JSON.parse(body.toString('utf8')) as unknown);
    if (typeof credentials === 'object' && credentials !== null) return credentials;
  } catch {
    // Said below, in the same words as for everything else that is no such object.
  }
  throw new HooklineError('BAD_USER_INPUT', 'Send {"code": "…"} or {"key": "…"} as JSON.');
}
