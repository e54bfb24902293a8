import { createClient } from 'graphql-ws';
import type { Client } from 'graphql-ws';
import type { GatewayAddress } from './gateway-address.ts';
import { keyRefused, unreachable } from './gateway-error.ts';
import type { GatewayError } from './gateway-error.ts';
import { growingPauseMs } from './growing-pause.ts';
import type { Wait } from './growing-pause.ts';

/** Where a connection stands. `idle`: nothing is subscribed, so there is none. */
export type LiveState =
  | { kind: 'idle' | 'connecting' | 'connected' }
  | { kind: 'disconnected'; error: GatewayError };

export interface GatewaySocketOptions {
  address: GatewayAddress;
  /** Bearer key. */
  key: string;
  /** Called for each event of the connection, also where nothing changed. */
  onState: (state: LiveState) => void;
  wait: Wait;
  random: () => number;
  /** How often to ask for a sign of life, in milliseconds. */
  keepAliveMs: number;
  /** Ends the pauses between attempts to connect. */
  signal: AbortSignal;
}

/**
 * A websocket to the gateway, opened with the first subscription and closed with the last; after a loss it is
 * opened again, for ever, with growing pauses.
 */
export function createGatewaySocket(options: GatewaySocketOptions): Client {
  const { address, key, onState, wait, random, keepAliveMs, signal } = options;
  let lifeSign: NodeJS.Timeout | undefined;
  const client: Client = createClient({
    url: address.websocket,
    connectionParams: { authorization: `Bearer ${key}` },
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: async (retries) => {
      await wait(growingPauseMs(retries + 1, random), signal).catch(() => undefined);
    },
    connectionAckWaitTimeout: 10_000,
    keepAlive: keepAliveMs,
    on: {
      connecting: (isRetry) => {
        if (!isRetry) onState({ kind: 'connecting' });
      },
      connected: () => onState({ kind: 'connected' }),
      ping: (isReceived) => {
        // A cable that was pulled closes nothing: without an answer in half the time the socket is given up.
        if (!isReceived) lifeSign = setTimeout(() => client.terminate(), keepAliveMs / 2);
      },
      pong: (isReceived) => {
        if (isReceived) clearTimeout(lifeSign);
      },
      error: (error) => onState({ kind: 'disconnected', error: unreachable(address.base, error) }),
      closed: (event) => {
        clearTimeout(lifeSign);
        const { code } = event as { code?: number };
        if (code === NORMAL_CLOSURE) onState({ kind: 'idle' });
        else onState({ kind: 'disconnected', error: closeError(code, address) });
      },
    },
  });
  return client;
}

/** Why the gateway closed a socket. */
export function closeError(code: unknown, address: GatewayAddress): GatewayError {
  return code === UNAUTHORIZED || code === FORBIDDEN ? keyRefused(address.base) : unreachable(address.base);
}

const NORMAL_CLOSURE = 1000;
const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;
