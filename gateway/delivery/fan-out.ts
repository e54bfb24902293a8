import type { NewDelivery } from '../store/store.ts';

/** What fan-out has to know of an endpoint. */
export interface Subscriber {
  readonly pool: string;
  readonly endpoint: { readonly id: string; readonly delaySeconds: number };
  /** Its own schedule, ms; null: the installation's. */
  readonly schedule: readonly number[] | null;
}

/** One debt, pure: due after the endpoint's delay and the first delay of its schedule (ms). */
export function oweTo(
  subscriber: Subscriber,
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
