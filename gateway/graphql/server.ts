import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Services } from '../services.ts';
import type { Authenticate } from './authenticate.ts';
import { createDocumentCache } from './document-cache.ts';
import { createEngine } from './engine.ts';
import { createHttpTransport } from './http-transport.ts';
import type { GraphqlLog } from './mask-error.ts';
import { schema } from './schema.ts';
import { createWebsocketProtocol } from './websocket-protocol.ts';
import { createWebsocketTransport } from './websocket-transport.ts';

/** The GraphQL API, to be put behind a path of an HTTP server. */
export interface GraphqlServer {
  /** Answers a request: GraphQL over HTTP, or the GraphiQL page for a browser. Never rejects. */
  handleRequest(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Takes over a websocket (`graphql-transport-ws`). */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends all subscriptions and refuses new websockets; resolves when work that was leased is handed back. */
  close(): Promise<void>;
}

/** What the API stands on. */
export interface GraphqlServerOptions {
  services: Services;
  authenticate: Authenticate;
  log: GraphqlLog;
}

/** Puts the API together: one schema, one engine and one cache of documents for both transports. */
export function createGraphqlServer({ services, authenticate, log }: GraphqlServerOptions): GraphqlServer {
  const documents = createDocumentCache(schema);
  const engine = createEngine({ schema, documents, log });
  const http = createHttpTransport({ services, authenticate, engine, log });
  const protocol = createWebsocketProtocol({ schema, services, documents, engine, log });
  const websocket = createWebsocketTransport({ protocol, authenticate, log });
  return {
    handleRequest: http.handleRequest,
    handleUpgrade: websocket.handleUpgrade,
    close: async () => {
      http.close();
      await websocket.close();
    },
  };
}
