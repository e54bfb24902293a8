import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HooklineError } from './errors.ts';

/** One part of the HTTP surface. @returns whether the path was its own. Never rejects for what a client sends. */
export type HttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
) => Promise<boolean>;

export interface HttpServerOptions {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** Asked in this order. */
  handlers: readonly HttpHandler[];
  /** Takes over websockets on `/graphql`. */
  handleUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  log: { error(fields: Record<string, unknown>, message: string): void };
}

export interface HttpServer {
  port: number;
  /** Takes no new connections; resolves when what was asked is answered. */
  close(): Promise<void>;
}

/** A slow sender may take this long for its request; `requestTimeout` of node:http is five minutes. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the idle time-out of common proxies, so that they never write into a closing connection. */
const KEEP_ALIVE_MS = 75_000;

/**
 * Listens, and hands each request to the first handler that knows its path.
 * @throws PORT_TAKEN, naming the setting
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, handlers, handleUpgrade, log } = options;
  const server = createServer((request, response) => {
    handle(request, response, handlers).catch((error: unknown) => {
      log.error({ err: error, method: request.method, path: pathOf(request) }, 'request failed inside');
      sendError(
        response,
        new HooklineError('INTERNAL', 'A fault of ours; the log of the gateway has the details.'),
      );
    });
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on('upgrade', (request, socket, head) => {
    if (pathOf(request) === '/graphql') handleUpgrade(request, socket, head);
    else socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
  await listen(server, host, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: readonly HttpHandler[],
): Promise<void> {
  const path = pathOf(request);
  for (const handler of handlers) if (await handler(request, response, path)) return;
  request.resume();
  sendError(response, new HooklineError('NOT_FOUND', `There is nothing at ${path.slice(0, 100)}.`));
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen(port, host, () => resolve());
  });
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new HooklineError(
      'PORT_TAKEN',
      `Port ${port} on ${host} is taken by another program; end it, or choose another port with HOOKLINE_PORT.`,
      { cause: error },
    );
  }
  return new HooklineError(
    'CONFIGURATION',
    `The gateway cannot listen on ${host}:${port} (${error.code ?? error.message}); check HOOKLINE_HOST and HOOKLINE_PORT.`,
    { cause: error },
  );
}

/** Answers JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/** Answers an error in the shape of the contract. */
export function sendError(response: ServerResponse, error: HooklineError): void {
  const { code, message, details } = error;
  sendJson(response, error.httpStatus, { error: { code, message, details } });
}
