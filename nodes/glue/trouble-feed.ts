import type { AppliedEndpoint, GatewayClient } from '../gateway-client.ts';
import type { GatewayUser } from './gateway-node.ts';

/** Tells sending nodes what goes on with their deliveries: one subscription for all of a gateway node. */
export interface TroubleFeed {
  /** Follows the endpoints whose nodes want to know; the subscription stays where they are the same. */
  follow(applied: readonly AppliedEndpoint[]): void;
  close(): void;
}

/** @param users the nodes by id; read anew for each delivery. */
export function followTroubles(
  client: () => GatewayClient,
  users: ReadonlyMap<string, GatewayUser>,
): TroubleFeed {
  let nodeIds = new Map<string, string>();
  let stop = (): void => undefined;

  return {
    follow: (applied) => {
      const wanted = new Map(
        applied
          .filter(({ key }) => users.get(key)?.onTrouble !== undefined)
          .map(({ key, endpoint }) => [endpoint.id, key]),
      );
      const isSame = wanted.size === nodeIds.size && [...wanted.keys()].every((id) => nodeIds.has(id));
      nodeIds = wanted;
      if (isSame) return;
      stop();
      stop = (): void => undefined;
      if (wanted.size === 0) return;
      stop = client().troubles([...wanted.keys()], {
        onDelivery: (delivery) => {
          const nodeId = nodeIds.get(delivery.endpoint.id);
          if (nodeId !== undefined) users.get(nodeId)?.onTrouble?.(delivery);
        },
        // It is subscribed again; until then the nodes show what they knew.
        onError: () => undefined,
      });
    },
    close: () => stop(),
  };
}
