import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import type { Client, ClientOptions } from 'graphql-ws';
import { WebSocket } from 'ws';

/** What JSON says: tests look into it without describing it first. */
export type Parsed = ReturnType<typeof JSON.parse>;

/** An answer of GraphQL, over whatever it came. */
export interface GraphqlAnswer<Data = Parsed> {
  data?: Data | null;
  errors?: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[];
}

/** An answer with the HTTP around it. */
export interface HttpAnswer<Data> extends GraphqlAnswer<Data> {
  status: number;
  headers: Headers;
}

/** What to ask, and as whom. */
export interface HttpQuestion {
  query: string;
  variables?: Record<string, unknown>;
  /** Bearer key. @default none */
  key?: string;
  /** @default 'application/graphql-response+json' */
  accept?: string;
}

/** Asks over HTTP, as any client would. */
export async function askOverHttp<Data = Parsed>(
  url: string,
  { query, variables, key, accept = 'application/graphql-response+json' }: HttpQuestion,
): Promise<HttpAnswer<Data>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept,
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as GraphqlAnswer<Data>;
  return { ...answer, status: response.status, headers: response.headers };
}

/** The stock graphql-ws client, which does not try again by itself unless told to. */
export function openLiveClient(url: string, key: string, options: Partial<ClientOptions> = {}): Client {
  return createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${key}` },
    retryAttempts: 0,
    ...options,
  });
}

/** A bare websocket, for what no client would send. */
export interface Wire {
  socket: WebSocket;
  send(message: unknown): void;
  /** The next message of the server. @throws where the socket closes instead */
  next(): Promise<{ id?: string; type: string; payload?: Parsed }>;
  /** How the server closes it. */
  closed: Promise<{ code: number; reason: string }>;
}

/** Opens a websocket and says nothing on it. @throws where the server offers no subprotocol that was asked for */
export async function openWire(
  url: string,
  {
    protocol = 'graphql-transport-ws',
    headers = {},
  }: { protocol?: string; headers?: Record<string, string> } = {},
): Promise<Wire> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), protocol === '' ? [] : [protocol], { headers });
  const received: string[] = [];
  let wake = (): void => undefined;
  socket.on('message', (data: Buffer) => {
    received.push(data.toString());
    wake();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => {
      wake();
      resolve({ code, reason: reason.toString() });
    });
  });
  await once(socket, 'open');
  return {
    socket,
    closed,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    next: async () => {
      while (received.length === 0) {
        if (socket.readyState === WebSocket.CLOSED)
          throw new Error('The socket was closed before another message came.');
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return JSON.parse(received.shift()!) as { id?: string; type: string; payload?: Parsed };
    },
  };
}

/** A bare websocket that has said who it is, and was acknowledged. */
export async function openWelcomeWire(url: string, key: string): Promise<Wire> {
  const wire = await openWire(url);
  wire.send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
  const { type } = await wire.next();
  if (type !== 'connection_ack') throw new Error(`The server answered connection_init with ${type}.`);
  return wire;
}
