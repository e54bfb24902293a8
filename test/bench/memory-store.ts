import { PushQueue } from '../../gateway/store/push-queue.ts';
import type { RecordStore } from '../../gateway/store/records.ts';
import type { Claim, Lease, NewEvent, Settlement, Store } from '../../gateway/store/store.ts';

/**
 * The store switched off: grants at once and keeps nothing. What is left of the gateway with it is the floor that
 * the durable one is measured against.
 */
export function withoutStore(store: Store & RecordStore): Store & RecordStore {
  let leases: PushQueue<readonly Lease[]> | null = null;
  let token = 1;
  return new Proxy(store, {
    get(target, name) {
      if (name === 'append') {
        return (events: readonly NewEvent[]) => {
          const granted: Lease[] = [];
          const results = events.map(({ event, deliveries }) => {
            for (const { endpointId, context, orderKey } of deliveries) {
              granted.push({
                deliveryId: 'dlv_00000001',
                token: token++,
                endpointId,
                context,
                orderKey,
                expiresAt: event.receivedAt + 60_000,
                attemptNumber: 1,
                generation: 0,
                step: 0,
                failingSince: null,
                createdAt: event.receivedAt,
                event,
              });
            }
            return { kind: 'accepted' as const, id: event.id, cursor: 'off.0', deliveryIds: [] };
          });
          if (granted.length > 0) leases?.push(granted);
          return Promise.resolve(results);
        };
      }
      if (name === 'claim') {
        return ({ signal }: Claim) => {
          leases = new PushQueue();
          signal.addEventListener('abort', () => leases?.close(), { once: true });
          return leases;
        };
      }
      if (name === 'record') {
        return (settlements: readonly Settlement[]) =>
          Promise.resolve(settlements.map(() => 'recorded' as const));
      }
      const member = Reflect.get(target, name, target) as unknown;
      return typeof member === 'function' ? (member as (...args: unknown[]) => unknown).bind(target) : member;
    },
  });
}
