import type { Event } from '../events/event.ts';
import type { NewDelivery } from '../store/store.ts';

/** What fan-out has to know of an endpoint. */
export interface Subscriber {
  readonly pool: string;
  readonly endpoint: { readonly id: string; readonly delaySeconds: number };
  /** Its own schedule, ms; null: the installation's. */
  readonly schedule: readonly number[] | null;
  matches(event: Pick<Event, 'type' | 'machine' | 'test'>): boolean;
}

/**
 * Who is owed this event. Pure, and on the hot path: once per event and endpoint.
 * @param subscribers those that get new deliveries now
 * @param schedule the installation's, ms
 */
export function fanOut(
  event: Event,
  subscribers: readonly Subscriber[],
  schedule: readonly number[],
): NewDelivery[] {
  const debts: NewDelivery[] = [];
  for (const subscriber of subscribers) {
    if (subscriber.matches(event)) debts.push(oweTo(subscriber, event.receivedAt, schedule, null));
  }
  return debts;
}

/** One debt: due after the endpoint's delay and the first delay of its schedule. */
export function oweTo(
  subscriber: Omit<Subscriber, 'matches'>,
  now: number,
  schedule: readonly number[],
  context: string | null,
): NewDelivery {
  const { endpoint, pool } = subscriber;
  return {
    endpointId: endpoint.id,
    pool,
    dueAt: now + endpoint.delaySeconds * 1000 + ((subscriber.schedule ?? schedule)[0] ?? 0),
    orderKey: null,
    status: 'PENDING',
    reason: null,
    context,
  };
}
