import type { Event } from '../events/event.ts';
import type { Attempt, DeliveryRow, StoreReader } from '../store/store-reader.ts';
import { createBatchLoader } from './batch-loader.ts';

/** Reads by id that share a question to the store with all others of the same moment. */
export interface Loaders {
  /** null for what is not there any more. */
  event(id: string): Promise<Event | null>;
  delivery(id: string): Promise<DeliveryRow | null>;
  /** Oldest first. */
  attempts(deliveryId: string): Promise<readonly Attempt[]>;
}

/** The loaders of one operation. */
export function createLoaders(reader: StoreReader): Loaders {
  return {
    event: createBatchLoader((ids) => reader.eventsById(ids)),
    delivery: createBatchLoader((ids) => reader.deliveriesById(ids)),
    attempts: createBatchLoader<readonly Attempt[]>((ids) => reader.attempts(ids)),
  };
}
