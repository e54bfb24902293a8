import type { Client } from 'graphql-ws';
import type { GatewayAddress } from './gateway-address.ts';
import { answeredError } from './gateway-error.ts';
import type { AnsweredError, GatewayError } from './gateway-error.ts';
import { closeError, createGatewaySocket } from './gateway-socket.ts';
import type { LiveState } from './gateway-socket.ts';
import { growingPauseMs } from './growing-pause.ts';
import type { Wait } from './growing-pause.ts';

/** The live subscriptions of a Node-RED, over as few websockets as the gateway's limit allows. */
export interface GatewayLive {
  readonly state: LiveState;
  /**
   * Subscribes, and subscribes again after each loss, for ever, with growing pauses.
   * @returns a function that ends it and tells the gateway so.
   */
  subscribe<Data>(
    document: string,
    variables: Record<string, unknown>,
    handlers: SubscriptionHandlers<Data>,
  ): () => void;
  /** Ends all subscriptions and connections; the gateway is told before, so that it knows it was no crash. */
  close(): void;
}

export interface SubscriptionHandlers<Data> {
  onData: (data: Data) => void;
  /** The gateway refused or ended it; it is subscribed again after a pause. */
  onError: (error: GatewayError) => void;
}

export interface GatewayLiveOptions {
  address: GatewayAddress;
  /** Bearer key. */
  key: string;
  /** Called with each change. */
  onState: (state: LiveState) => void;
  wait: Wait;
  random: () => number;
  /** How often to ask for a sign of life. @default 10000 */
  keepAliveMs?: number;
}

/** The gateway takes 50 operations on one socket at a time. */
const MOST_PER_SOCKET = 45;

/** Prepares the connection; it is opened with the first subscription. */
export function createGatewayLive(options: GatewayLiveOptions): GatewayLive {
  const { address, key, wait, random, keepAliveMs = 10_000 } = options;
  const closing = new AbortController();
  const stops = new Set<() => void>();
  const sockets: { client: Client; used: number }[] = [];
  let state: LiveState = { kind: 'idle' };

  const onState = (next: LiveState): void => {
    // A socket of which the last subscription ended, while others go on over another one.
    if (next.kind === 'idle' && stops.size > 0) return;
    if (next.kind === state.kind && codeOf(next) === codeOf(state)) return;
    state = next;
    if (!closing.signal.aborted) options.onState(next);
  };
  const takeSocket = (): (typeof sockets)[number] => {
    let socket = sockets.find(({ used }) => used < MOST_PER_SOCKET);
    if (socket === undefined) {
      const client = createGatewaySocket({
        address,
        key,
        onState,
        wait,
        random,
        keepAliveMs,
        signal: closing.signal,
      });
      socket = { client, used: 0 };
      sockets.push(socket);
    }
    socket.used += 1;
    return socket;
  };

  return {
    get state() {
      return state;
    },
    subscribe: <Data>(
      document: string,
      variables: Record<string, unknown>,
      handlers: SubscriptionHandlers<Data>,
    ) => {
      const ended = new AbortController();
      const socket = takeSocket();
      let release = (): void => undefined;
      const stop = (): void => {
        if (!stops.delete(stop)) return;
        ended.abort();
        socket.used -= 1;
        release();
      };
      stops.add(stop);

      let failures = 0;
      const begin = (): void => {
        if (ended.signal.aborted) return;
        release = socket.client.subscribe<Data>(
          { query: document, variables },
          {
            next: ({ data, errors }) => {
              if (ended.signal.aborted) return;
              failures = 0;
              if (errors !== undefined && errors.length > 0) handlers.onError(answeredError(errors));
              else if (data !== undefined && data !== null) handlers.onData(data);
            },
            error: (error) => void beginAgain(subscriptionError(error, address)),
            complete: () => void beginAgain(null),
          },
        );
      };
      const beginAgain = async (refusal: GatewayError | null): Promise<void> => {
        if (ended.signal.aborted) return;
        if (refusal !== null) handlers.onError(refusal);
        failures += 1;
        // Cut short only when it has ended; `begin` sees that.
        await wait(growingPauseMs(failures, random), ended.signal).catch(() => undefined);
        begin();
      };
      begin();
      return stop;
    },
    close: () => {
      for (const stop of stops) stop();
      closing.abort();
      for (const { client } of sockets) {
        // Where no connection came about there is nothing to close, and the client says so by rejecting.
        void Promise.resolve(client.dispose()).catch(() => undefined);
      }
    },
  };
}

function codeOf(state: LiveState): string | null {
  return state.kind === 'disconnected' ? state.error.code : null;
}

/** What ended a subscription: errors of the gateway, or a close of the socket that the client does not mend itself. */
function subscriptionError(error: unknown, address: GatewayAddress): GatewayError {
  if (Array.isArray(error)) return answeredError(error as AnsweredError[]);
  return closeError(((error ?? {}) as { code?: unknown }).code, address);
}
