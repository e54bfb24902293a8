import type { IncomingMessage, ServerResponse } from 'node:http';
import { HooklineError } from '../errors.ts';
import type { Principal, Services } from '../services.ts';
import { unauthenticated } from './authenticate.ts';
import type { Authenticate } from './authenticate.ts';
import { createContext } from './context.ts';
import type { GraphqlEngine } from './engine.ts';
import { sendGraphiqlPage, wantsGraphiqlPage } from './graphiql-page.ts';
import { mayBeTooLarge } from './json-body.ts';
import { maskError } from './mask-error.ts';
import type { GraphqlLog } from './mask-error.ts';

/** GraphQL over HTTP. */
export interface HttpTransport {
  /** Answers one request. Never rejects. */
  handleRequest(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Ends the streams of server-sent events that are open. */
  close(): void;
}

/** What the transport works with. */
export interface HttpTransportOptions {
  services: Services;
  authenticate: Authenticate;
  engine: GraphqlEngine;
  log: GraphqlLog;
}

/** Refuses whoever has no valid key before anything is read; leaves the rest to the engine. */
export function createHttpTransport({
  services,
  authenticate,
  engine,
  log,
}: HttpTransportOptions): HttpTransport {
  const open = new Set<AbortController>();

  const principalOf = (req: IncomingMessage): Principal => {
    const request = {
      isUpgrade: false,
      method: req.method ?? 'GET',
      address: req.socket.remoteAddress ?? '',
    };
    const principal = authenticate(req.headers, request);
    if (principal === null) throw unauthenticated();
    return principal;
  };

  return {
    handleRequest: async (req, res) => {
      res.setHeader('x-content-type-options', 'nosniff');
      try {
        // The page itself holds nothing; what it asks needs a key or a session like everything else.
        if (wantsGraphiqlPage(req)) return await sendGraphiqlPage(req, res);
        res.setHeader('cache-control', 'no-store');
        const principal = principalOf(req);
        const gone = new AbortController();
        open.add(gone);
        res.once('close', () => {
          open.delete(gone);
          gone.abort();
        });
        await engine.answer(
          req,
          res,
          createContext({ services, principal, socket: null, signal: gone.signal }),
        );
      } catch (error) {
        refuse(req, res, error, log);
      }
    },
    close: () => {
      for (const gone of open) gone.abort();
    },
  };
}

/** Answers without running anything, in the shape of GraphQL. */
function refuse(req: IncomingMessage, res: ServerResponse, error: unknown, log: GraphqlLog): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const status = error instanceof HooklineError ? error.httpStatus : 500;
  const acceptsResponseType = req.headers.accept?.includes(RESPONSE_TYPE) === true;
  res.writeHead(status, {
    'content-type': `${acceptsResponseType ? RESPONSE_TYPE : 'application/json'}; charset=utf-8`,
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(mayBeTooLarge(req) ? { connection: 'close' } : {}),
  });
  res.end(JSON.stringify({ errors: [maskError(error, log).toJSON()] }));
}

const RESPONSE_TYPE = 'application/graphql-response+json';
