import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, handleProtocols } from 'graphql-ws';
import type { Server } from 'graphql-ws';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Authenticate } from './authenticate.ts';
import type { GraphqlLog } from './mask-error.ts';
import { createSession } from './websocket-session.ts';
import type { WebsocketSession } from './websocket-session.ts';

/** The largest message of a client. */
const MAX_MESSAGE_BYTES = 65_536;

/** How often a socket is asked for a sign of life, and whether its key is still valid. */
const KEEP_ALIVE_MS = 12_000;

/** How long clients get to say goodbye when the server closes. */
const GOODBYE_MS = 1000;

/** GraphQL over websockets. */
export interface WebsocketTransport {
  /** Takes over an upgrade that is for us. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends all sockets; resolves when their subscriptions have let go of what they held. */
  close(): Promise<void>;
}

/** What the transport works with. */
export interface WebsocketTransportOptions {
  protocol: Server<WebsocketSession>;
  authenticate: Authenticate;
  log: GraphqlLog;
}

/** Keeps the sockets; what is said on them is left to the protocol. */
export function createWebsocketTransport(options: WebsocketTransportOptions): WebsocketTransport {
  const { protocol, authenticate, log } = options;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols,
  });
  const open = new Map<WebSocket, { session: WebsocketSession; gone: Promise<void> }>();
  let isClosing = false;

  const accept = (socket: WebSocket, request: IncomingMessage): void => {
    const session = createSession(socket, request, authenticate);
    const gone = Promise.withResolvers<void>();
    open.set(socket, { session, gone: gone.promise });

    const fail = (error: unknown): void => {
      log.error({ err: error }, 'graphql: internal error on a websocket');
      session.close(CloseCode.InternalServerError, 'Internal server error');
    };
    // What a client does wrong on the wire (too large, not UTF-8) also ends the socket, with the code that says so.
    socket.on('error', () => undefined);

    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: session.send,
        close: session.close,
        onMessage: (handle) => {
          // One buffer per message is what a socket gives unless told otherwise.
          socket.on('message', (data: Buffer) => {
            handle(data.toString('utf8')).catch(fail);
          });
        },
      },
      session,
    );
    const stopWatching = keepAlive(socket, session);
    socket.once('close', (code, reason) => {
      session.markClosed(code);
      stopWatching();
      void closed(code, String(reason))
        .catch(fail)
        .finally(() => {
          open.delete(socket);
          gone.resolve();
        });
    });
  };

  return {
    handleUpgrade: (req, socket, head) => {
      if (isClosing) {
        socket.destroy();
        return;
      }
      server.handleUpgrade(req, socket, head, accept);
    },
    close: async () => {
      isClosing = true;
      const sockets = [...open];
      for (const [, { session }] of sockets) session.close(1001, 'Going away');
      const giveUp = setTimeout(() => {
        for (const [socket] of sockets) socket.terminate();
      }, GOODBYE_MS);
      await Promise.all(sockets.map(([, { gone }]) => gone));
      clearTimeout(giveUp);
      server.close();
    },
  };
}

/** Ends a socket that gives no sign of life, and one whose key was revoked, expired or logged out. */
function keepAlive(socket: WebSocket, session: WebsocketSession): () => void {
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  const timer = setInterval(() => {
    if (!isAlive) {
      socket.terminate();
      return;
    }
    if (!session.isStillWelcome()) {
      session.close(CloseCode.Forbidden, 'The key is not valid any more');
      return;
    }
    isAlive = false;
    socket.ping();
  }, KEEP_ALIVE_MS);
  timer.unref();
  return () => clearInterval(timer);
}
