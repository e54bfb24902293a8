import type { Clock } from '../clock.ts';
import { envelopeBody, type Event } from '../events/event.ts';
import type { Store } from '../store/store.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Tells flows and endpoints that subscribe by name what happens to the installation itself. */
export interface OperationalEvents {
  /**
   * Stores and fans out a `hookline.*` event. Never rejects: news must not break what it is about.
   * @param aboutEndpointId the endpoint it is about, which is never told itself
   */
  tell(type: string, data: object, aboutEndpointId?: string): Promise<void>;
}

export interface OperationalEventsOptions {
  store: Store;
  subscriptions: Pick<Subscriptions, 'owe'>;
  clock: Clock;
  randomText: () => string;
  log: { warn(fields: Record<string, unknown>, message: string): void };
}

export function createOperationalEvents(options: OperationalEventsOptions): OperationalEvents {
  const { store, subscriptions, clock, randomText, log } = options;
  return {
    async tell(type, data, aboutEndpointId) {
      const now = clock.now();
      const id = `evt_${randomText()}`;
      const event: Event = {
        id,
        source: null,
        type,
        occurredAt: now,
        receivedAt: now,
        machine: null,
        test: false,
        hops: 0,
        body: envelopeBody({ id, type, timestamp: new Date(now).toISOString(), data }),
        raw: null,
        verifiedLeniently: false,
      };
      try {
        await store.append([{ event, deliveries: await subscriptions.owe(event, aboutEndpointId) }]);
      } catch (error) {
        log.warn({ err: error, type }, 'an operational event could not be stored');
      }
    },
  };
}
