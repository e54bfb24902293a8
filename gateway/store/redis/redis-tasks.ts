import type { Clock } from '../../clock.ts';
import { parseDeliveryId } from '../delivery-id.ts';
import type { AmendResult, Amendment, Debt, LaneSettings, LaneState, LeaseRef } from '../store.ts';
import { CommitRequest } from './commit-request.ts';
import type { LocalClaims } from './local-claims.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisWriter } from './redis-writer.ts';

export interface RedisTasksOptions {
  connection: RedisConnection;
  clock: Clock;
  claims: LocalClaims;
  writer: RedisWriter;
}

/** What changes deliveries and lanes beside the hot path; in order with it. */
export class RedisTasks {
  readonly #options: RedisTasksOptions;

  constructor(options: RedisTasksOptions) {
    this.#options = options;
  }

  owe(debts: readonly Debt[], again: boolean): Promise<number> {
    const { connection, writer } = this.#options;
    const request = new CommitRequest();
    const specs = debts.map(({ eventId, deliveries }) => [
      eventId,
      deliveries.map((delivery) => request.addDebt(delivery)),
    ]);
    return writer.run(
      () => connection.run<{ made: number }>('owe', { debts: specs, again }, request.texts),
      ({ made }) => made,
    );
  }

  renew(leases: readonly LeaseRef[], leaseMs: number): Promise<boolean[]> {
    const { connection, writer, claims, clock } = this.#options;
    const seqs = leases.map(({ deliveryId }) => parseDeliveryId(deliveryId) ?? 0);
    const refs = leases.map(({ token }, index) => [seqs[index], token]);
    return writer.run(
      () => connection.run<{ held?: boolean[] }>('renew', { leases: refs, leaseMs }),
      ({ held = [] }) => {
        const expiresAt = clock.now() + leaseMs;
        for (const [index, seq] of seqs.entries()) if (held[index]) claims.renewed(seq, expiresAt);
        return held;
      },
    );
  }

  amend({ deliveryId, action }: Amendment): Promise<AmendResult> {
    const { connection, writer } = this.#options;
    const seq = parseDeliveryId(deliveryId) ?? 0;
    return writer.run(
      () => connection.run<{ result: AmendResult }>('amend', { seq, action }),
      ({ result }) => result,
    );
  }

  async setLanes(lanes: readonly LaneSettings[]): Promise<void> {
    if (lanes.length === 0) return;
    const { connection, writer } = this.#options;
    const settings = lanes.map(({ endpointId, held, maxConcurrency, ratePerSecond = null }) => [
      endpointId,
      held,
      maxConcurrency,
      ratePerSecond,
    ]);
    await writer.run(
      () => connection.run<object>('set-lanes', { lanes: settings }),
      () => {},
    );
  }

  laneStates(endpointIds: readonly string[]): Promise<LaneState[]> {
    const { connection, writer } = this.#options;
    return writer.run(
      () =>
        connection.run<{ states?: Omit<LaneState, 'endpointId'>[] }>('lane-states', {
          endpoints: endpointIds,
        }),
      ({ states = [] }) => states.map((state, index) => ({ endpointId: endpointIds[index]!, ...state })),
    );
  }
}
