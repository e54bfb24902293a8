import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A request as it arrived. */
export interface ReceivedRequest {
  method: string;
  /** Path and query. */
  path: string;
  /** Lower-case names; repeated ones joined by `, `. */
  headers: Record<string, string>;
  body: Buffer;
  /** When the body was complete; Unix milliseconds. */
  at: number;
}

/** What the receiver answers. An empty object is a 200 with an empty body. */
export interface Answer {
  /** @default 200 */
  status?: number;
  headers?: Record<string, string | string[]>;
  /** In one piece, or piece by piece as the iterable gives them: see `drip` and `endless`. */
  body?: string | Uint8Array | AsyncIterable<string | Uint8Array>;
  /** The answer waits for it: the test decides when, not a timer. */
  after?: Promise<unknown>;
  /**
   * How the answer goes wrong:
   * `reset` closes the connection instead of answering, `reset-mid-body` after the head and the body,
   * with more announced; `never` keeps the connection and says nothing; `close` answers and closes.
   */
  fault?: 'reset' | 'reset-mid-body' | 'never' | 'close';
}

/** Decides the answer to each request; `index` counts from 0. */
export type AnswerHandler = (request: ReceivedRequest, index: number) => Answer | Promise<Answer>;

export interface ReceiverOptions {
  /** Answers all requests, until `respond` says otherwise. */
  handler?: AnswerHandler;
  /** Answers in this order; the last one repeats. */
  script?: Answer[];
  /** PEM; makes it an https receiver. */
  tls?: { key: string | Buffer; cert: string | Buffer };
}

/** A real HTTP receiver on 127.0.0.1, on a port of its own. */
export interface Receiver extends AsyncDisposable {
  /** `http://127.0.0.1:port` or `https://…`. */
  readonly origin: string;
  readonly port: number;
  /** Everything received, oldest first. */
  readonly requests: ReceivedRequest[];
  /** How many connections were accepted so far, and how many of them are open. */
  readonly connections: { accepted: number; open: number };
  /** The URL of a path here. */
  url(path?: string): string;
  /** From now on: these answers in this order, the last one repeats; or a handler. */
  respond(...answers: [AnswerHandler] | [Answer, ...Answer[]]): void;
  /**
   * Waits until so many requests have arrived in all, or until one satisfies the predicate.
   * @returns all requests so far, or all that satisfy the predicate
   */
  waitFor(wanted: number | ((request: ReceivedRequest) => boolean)): Promise<ReceivedRequest[]>;
  /** Waits until no connection is open. */
  waitForIdle(): Promise<void>;
  /** Stops listening and destroys all connections. */
  close(): Promise<void>;
}

/** A body that arrives one byte per turn of the event loop. */
export async function* drip(text: string): AsyncGenerator<Uint8Array> {
  for (const byte of Buffer.from(text)) {
    await nextTurn();
    yield Uint8Array.of(byte);
  }
}

/** A body without end, as fast as it is read. */
export async function* endless(chunkBytes = 64 * 1024): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(chunkBytes, 'x');
  for (;;) {
    yield chunk;
    await nextTurn();
  }
}

/** Starts a receiver; it answers 200 to everything unless told otherwise. */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  const watchers = new Set<{ check: () => void; closed: () => void }>();
  const connections = { accepted: 0, open: 0 };
  let answerOf = options.handler ?? inOrder(options.script ?? [{}]);

  const notify = (): void => {
    for (const watcher of watchers) watcher.check();
  };

  /** Resolves with the first defined value of `look`, asked again whenever something happened. */
  const until = <T>(look: () => T | undefined, wanted: () => string): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const watcher = {
      check(): void {
        const found = look();
        if (found === undefined) return;
        watchers.delete(watcher);
        resolve(found);
      },
      closed: () => reject(new Error(`the receiver was closed while a test waited for ${wanted()}`)),
    };
    watchers.add(watcher);
    watcher.check();
    return promise;
  };

  const listener: RequestListener = (incoming, response) => {
    void receive(incoming).then(async (request) => {
      if (request === undefined) return undefined;
      const index = requests.push(request) - 1;
      notify();
      return send(response, await answerOf(request, index));
    });
  };
  const server = options.tls ? createSecureServer(options.tls, listener) : createServer(listener);
  server.on('connection', (socket: Socket) => {
    connections.accepted++;
    connections.open++;
    sockets.add(socket);
    socket.on('close', () => {
      connections.open--;
      sockets.delete(socket);
      notify();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`;

  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
    for (const watcher of watchers) watcher.closed();
    watchers.clear();
  };

  return {
    origin,
    port,
    requests,
    connections,
    url: (path = '/') => origin + path,
    respond(...answers) {
      const [first] = answers;
      answerOf = typeof first === 'function' ? first : inOrder(answers as Answer[]);
    },
    waitFor(wanted) {
      if (typeof wanted === 'number') {
        return until(
          () => (requests.length >= wanted ? requests.slice() : undefined),
          () => `${wanted} requests; ${requests.length} came`,
        );
      }
      return until(
        () => (requests.some(wanted) ? requests.filter(wanted) : undefined),
        () => `a request that none of ${requests.length} was`,
      );
    },
    async waitForIdle() {
      await until(
        () => (connections.open === 0 ? true : undefined),
        () => `${connections.open} connections to end`,
      );
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function inOrder(answers: Answer[]): AnswerHandler {
  let next = 0;
  return () => answers[Math.min(next++, answers.length - 1)] ?? {};
}

/** The whole request, or undefined when the sender gave up before its end. */
async function receive(incoming: IncomingMessage): Promise<ReceivedRequest | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  const headers: Record<string, string> = {};
  for (const [name, values = []] of Object.entries(incoming.headersDistinct))
    headers[name] = values.join(', ');
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers,
    body: Buffer.concat(chunks),
    at: Date.now(),
  };
}

async function send(response: ServerResponse, answer: Answer): Promise<void> {
  await answer.after;
  const { fault, body = '' } = answer;
  if (fault === 'never') return;
  if (fault === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  response.statusCode = answer.status ?? 200;
  if (fault === 'close') response.setHeader('connection', 'close');
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    // The other side may leave in the middle, which ends the writing and is no fault of the receiver.
    const gone = once(response, 'close');
    for await (const piece of body) {
      if (response.destroyed) return;
      if (!response.write(piece)) await Promise.race([once(response, 'drain'), gone]);
    }
    response.end();
  } else if (fault === 'reset-mid-body') {
    response.setHeader('content-length', Buffer.byteLength(body) + 1);
    response.flushHeaders();
    response.write(body, () => response.socket?.resetAndDestroy());
  } else {
    response.end(body);
  }
}
