import { randomBytes } from 'node:crypto';
import { createSecretBox } from '../../gateway/access/secret-box.ts';
import type { CheckExpression } from '../../gateway/delivery/endpoint-input.ts';
import { createEndpointRegistry } from '../../gateway/delivery/endpoints.ts';
import type { EndpointRegistry } from '../../gateway/delivery/endpoints.ts';
import { createAddressPolicy } from '../../gateway/egress/address-policy.ts';
import { vetDestination } from '../../gateway/egress/destination.ts';
import { createManualClock } from './manual-clock.ts';
import { createMemoryRecords } from './memory-records.ts';

/** The one inspector bin there is in these tests. */
export const BIN_ID = 'bin_000000000000000000000000';

/**
 * What a registry of endpoints stands on: records in memory, a clock that stands still, and a name service that
 * knows `*.example` (public), `plant.internal` (private) and nothing else. Nothing leaves the process.
 * @param checkExpression what is wrong with an expression; nothing unless given
 */
export function createEndpointWorld(checkExpression: CheckExpression = () => null) {
  const clock = createManualClock();
  const records = createMemoryRecords(clock);
  const secretBox = createSecretBox(Buffer.alloc(32, 7).toString('base64'), randomBytes);
  const policy = createAddressPolicy(['127.0.0.0/8']);
  const vetted: string[] = [];
  const lookup = (host: string): Promise<string[]> => {
    if (host.endsWith('.example')) return Promise.resolve(['93.184.215.14']);
    if (host === 'plant.internal') return Promise.resolve(['10.20.0.7']);
    return Promise.reject(new Error('not found'));
  };
  const start = (): Promise<EndpointRegistry> =>
    createEndpointRegistry({
      records,
      secretBox,
      clock,
      random: randomBytes,
      checkExpression,
      hasBin: (binId) => binId === BIN_ID,
      vet(url) {
        vetted.push(url);
        return vetDestination(url, policy, lookup);
      },
    });
  return { clock, records, secretBox, vetted, start };
}
