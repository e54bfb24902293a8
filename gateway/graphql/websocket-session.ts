import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { Principal } from '../services.ts';
import type { Authenticate } from './authenticate.ts';
import type { SubscriberSocket } from './context.ts';

/** What waits to be written before no more is read from the client. */
const HIGH_WATER_BYTES = 1_048_576;

/** A close frame has room for 123 bytes; our reasons are plain ASCII. */
const LONGEST_REASON = 123;

/** Close codes by which a client says goodbye: normal, going away, and none given. */
const GOODBYES: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/** One websocket: who it is, how it ends, and how to write to it without piling up. */
export interface WebsocketSession extends SubscriberSocket {
  /** Says who it is: the key of `connection_init`, where it brought one, else the upgrade's headers. */
  logIn(payload: Readonly<Record<string, unknown>> | undefined): void;
  /**
   * Who it is now: a key can be revoked while the socket is open. null before it logged in, too.
   * @throws RATE_LIMITED
   */
  principal(): Principal | null;
  /** False where it logged in with what is not valid any more. */
  isStillWelcome(): boolean;
  /** Resolves when it is written out; at once where nobody listens any more. */
  send(text: string): Promise<void>;
  /** Says goodbye, as our decision. */
  close(code: number, reason: string): void;
  /** Remembers how the socket was closed, before anything else hears of it. */
  markClosed(code: number): void;
}

/** A session for a websocket that was just opened; nobody yet, until it logs in. */
export function createSession(
  socket: WebSocket,
  request: IncomingMessage,
  authenticate: Authenticate,
): WebsocketSession {
  // Kept apart from the request, whose socket forgets its address when it closes.
  const address = request.socket.remoteAddress ?? '';
  let credentials: IncomingMessage['headers'] | null = null;
  let closeCode: number | null = null;
  let isEndedByUs = false;
  let writeFailed = false;

  const principal = (): Principal | null =>
    credentials && authenticate(credentials, { isUpgrade: true, method: 'GET', address });

  return {
    principal,
    wasLost: () => !isEndedByUs && (closeCode === null ? writeFailed : !GOODBYES.has(closeCode)),
    logIn: (payload) => {
      credentials = request.headers;
      for (const [name, value] of Object.entries(payload ?? {})) {
        if (name.toLowerCase() === 'authorization' && typeof value === 'string') {
          credentials = { ...request.headers, authorization: value };
        }
      }
    },
    isStillWelcome: () => {
      try {
        return credentials === null || principal() !== null;
      } catch {
        // Too many wrong keys from its address say nothing about this one.
        return true;
      }
    },
    send: (text) =>
      new Promise((resolve, reject) => {
        if (socket.readyState !== socket.OPEN) return resolve();
        socket.send(text, (error) => {
          if (socket.isPaused && socket.bufferedAmount < HIGH_WATER_BYTES) socket.resume();
          if (error == null) return resolve();
          // The end of a connection may show itself here first, before any close code.
          writeFailed = true;
          reject(error);
        });
        // Whoever asks and does not read the answers must not make them pile up here.
        if (socket.bufferedAmount >= HIGH_WATER_BYTES) socket.pause();
      }),
    close: (code, reason) => {
      isEndedByUs = true;
      socket.resume();
      socket.close(code, reason.slice(0, LONGEST_REASON));
    },
    markClosed: (code) => {
      closeCode = code;
    },
  };
}
