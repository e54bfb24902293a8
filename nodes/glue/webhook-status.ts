import type { TroubledDelivery } from '../gateway-client.ts';
import type { DeliveryOutcome } from './delivery-result.ts';
import type { NodeStatus } from './node-red-api.ts';

/** Translates a key of the webhook node's catalogue into the runtime's language. */
export type Translate = (key: string, values: Record<string, string | number>) => string;

/** The line under a webhook node for a delivery that ended just now. */
export function resultStatus(outcome: DeliveryOutcome, nowMs: number, translate: Translate): NodeStatus {
  if (outcome !== 'succeeded')
    return { fill: 'red', shape: 'dot', text: `hookline-webhook.status.${outcome}` };
  return {
    fill: 'green',
    shape: 'dot',
    text: translate('hookline-webhook.status.succeeded', { time: clockTime(nowMs, nowMs) }),
  };
}

/** The line under a webhook node for a delivery that did not arrive at the first try; null where its result says it. */
export function troubleStatus(
  delivery: TroubledDelivery,
  nowMs: number,
  translate: Translate,
): NodeStatus | null {
  const { status, attemptCount, nextAttemptAt } = delivery;
  if (status === 'HELD') return { fill: 'grey', shape: 'dot', text: 'hookline-webhook.status.held' };
  if ((status !== 'RETRYING' && status !== 'FAILED') || nextAttemptAt === null) return null;
  return {
    fill: status === 'FAILED' ? 'red' : 'yellow',
    shape: 'ring',
    text: translate('hookline-webhook.status.retrying', {
      attempt: attemptCount + 1,
      time: clockTime(Date.parse(nextAttemptAt), nowMs),
    }),
  };
}

/** `14:05`, or `12 Mar` where it is on another day. */
function clockTime(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  if (at.toDateString() !== new Date(nowMs).toDateString()) {
    return at.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
  }
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
}
