import { deliveryEventTypes } from './catalog-delivery.ts';
import { healthEventTypes } from './catalog-health.ts';
import { inventoryEventTypes } from './catalog-inventory.ts';
import { machineEventTypes } from './catalog-machine.ts';
import { operationEventTypes } from './catalog-operation.ts';
import { qualityEventTypes } from './catalog-quality.ts';
import { workOrderEventTypes } from './catalog-work-order.ts';
import type { EventType } from './event-type.ts';

/**
 * Every event type the product knows: the MES's, the machines', then the gateway's own. An event whose type is
 * not here is accepted and delivered all the same.
 */
export const eventTypes: readonly EventType[] = [
  ...workOrderEventTypes,
  ...operationEventTypes,
  ...qualityEventTypes,
  ...inventoryEventTypes,
  ...machineEventTypes,
  ...deliveryEventTypes,
  ...healthEventTypes,
];

const byName: ReadonlyMap<string, EventType> = new Map(eventTypes.map((type) => [type.name, type]));

/** The catalogue's entry for a name, exactly as spelled; `undefined` where it has none. */
export function findEventType(name: string): EventType | undefined {
  return byName.get(name);
}
