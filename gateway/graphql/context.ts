import type { Principal, Services } from '../services.ts';
import { createLoaders } from './loaders.ts';
import type { Loaders } from './loaders.ts';

/** What resolvers get: who asks, what the product can do, and how to read without asking row by row. */
export interface GraphqlContext {
  services: Services;
  principal: Principal;
  loaders: Loaders;
  /** The websocket it came over; null over HTTP. */
  socket: SubscriberSocket | null;
  /** Aborts when an HTTP client is gone or the server closes; null on a websocket, which ends its operations itself. */
  signal: AbortSignal | null;
}

/** What an operation may ask about the websocket it came over. */
export interface SubscriberSocket {
  /** True where the client left without a word: no close frame came, and it was not we who ended it. */
  wasLost(): boolean;
}

/** The context of one operation. */
export function createContext(
  parts: Pick<GraphqlContext, 'services' | 'principal' | 'socket' | 'signal'>,
): GraphqlContext {
  return { ...parts, loaders: createLoaders(parts.services.store.reader) };
}
