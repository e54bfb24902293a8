import type { WorkItem } from '../gateway-client.ts';
import { fromContext } from './message-context.ts';
import type { NodeMessage } from './node-red-api.ts';

/** How a delivery ended, as the last part of its result event's type. */
export type DeliveryOutcome = 'succeeded' | 'exhausted' | 'rejected' | 'expired' | 'cancelled';

export interface DeliveryResult {
  deliveryId: string;
  outcome: DeliveryOutcome;
  /** The message as it was sent, with `msg.delivery`; null for a delivery that no flow sent (a test, a replay). */
  msg: NodeMessage | null;
}

/** Reads the result of a delivery, as it comes as work of a sending node's results endpoint. */
export function readDeliveryResult({ event, context }: WorkItem): DeliveryResult {
  const name = event.type.slice(event.type.lastIndexOf('.') + 1);
  const outcome = OUTCOMES.find((known) => known === name) ?? 'rejected';
  const msg = fromContext(context);
  const { delivery } = event.data as { delivery: { id: string } };
  if (msg !== null) msg['delivery'] = delivery;
  return { deliveryId: delivery.id, outcome, msg };
}

const OUTCOMES: readonly DeliveryOutcome[] = ['succeeded', 'exhausted', 'rejected', 'expired', 'cancelled'];
