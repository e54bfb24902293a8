import { createExplanationService } from '../../../gateway/delivery/explain.ts';
import { DEFAULT_SCHEDULE } from '../../../gateway/delivery/retry-policy.ts';
import { createSubscriptions } from '../../../gateway/delivery/subscriptions.ts';
import type { DeliveryExplanation } from '../../../gateway/services.ts';
import type { NewDelivery } from '../../../gateway/store/store.ts';
import type { DeliveryHarness } from '../../support/delivery-harness.ts';
import { makeEvent, newEvent, owe } from '../../support/store-fixtures.ts';

/** Asks the service of the harness's store why. */
export function explain(
  delivery: DeliveryHarness,
  eventId: string,
  endpointId: string,
): Promise<DeliveryExplanation> {
  const { store, endpoints, clock } = delivery;
  const subscriptions = createSubscriptions({
    endpoints,
    schedule: DEFAULT_SCHEDULE,
    evaluate: (source, input) => delivery.evaluate(source, input),
  });
  return createExplanationService({ store, endpoints, subscriptions, clock }).explain(eventId, endpointId);
}

/** Publishes what happened at the machine `m-1` of the group `mill`. @returns its id */
export async function publish(
  delivery: DeliveryHarness,
  type = 'work_order.created',
  test = false,
): Promise<string> {
  return (await delivery.events.publish({ type, data: { machine: { id: 'm-1', group: 'mill' } }, test })).id;
}

/** As sentences write a moment. */
export function iso(at: number): string {
  return new Date(at).toISOString();
}

/** An endpoint whose work the test takes and settles itself. */
export async function createFlow(delivery: DeliveryHarness, maxConcurrency = 8): Promise<string> {
  const [flow] = await delivery.endpoints.declare('nr', [
    { key: 'in', kind: 'FLOW', events: ['work_order.*'], maxConcurrency },
  ]);
  return flow!.endpoint.id;
}

/** Stores an event that is owed to a flow. @returns its id */
export async function storeOwed(
  { store, clock }: DeliveryHarness,
  endpointId: string,
  debt: Partial<NewDelivery> = {},
): Promise<string> {
  const [result] = await store.append([
    newEvent(makeEvent(clock), owe(clock, endpointId, { pool: endpointId, ...debt })),
  ]);
  return result!.id;
}
