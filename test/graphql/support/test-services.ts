import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { createKeyService } from '../../../gateway/access/keys.ts';
import { createSecretBox } from '../../../gateway/access/secret-box.ts';
import { createSessionService } from '../../../gateway/access/sessions.ts';
import type { Clock } from '../../../gateway/clock.ts';
import { createInspector } from '../../../gateway/connectors/inspector.ts';
import { createEndpointRegistry } from '../../../gateway/delivery/endpoints.ts';
import type { EndpointRegistry } from '../../../gateway/delivery/endpoints.ts';
import { createAddressPolicy } from '../../../gateway/egress/address-policy.ts';
import { vetDestination } from '../../../gateway/egress/destination.ts';
import { HooklineError } from '../../../gateway/errors.ts';
import type { Services, Source } from '../../../gateway/services.ts';
import type { RecordStore } from '../../../gateway/store/records.ts';
import type { DeliveryRow } from '../../../gateway/store/store-reader.ts';
import type { Store } from '../../../gateway/store/store.ts';
import { makeAttempt, makeEvent, newEvent, owe } from '../../support/store-fixtures.ts';

/** The key that may do everything. */
export const ADMIN_KEY = 'sk-admin-of-the-tests-0000000000000000000000000';

/** The one source there is. */
export const MES: Source = {
  id: 'src_mes',
  name: 'mes',
  dialect: 'machshop',
  active: true,
  signature: { header: 'x-mes-signature', prefix: '', encoding: 'hex', digest: 'sha256', template: '{body}' },
  lenientJson: false,
  createdAt: 0,
};

/** How the work of a consumer ended. */
export interface WorkEnd {
  endpointId: string;
  wasLost: boolean;
}

/** The services, and how the work of consumers ended. */
export interface TestServices extends Services, AsyncDisposable {
  endpoints: EndpointRegistry;
  workEnds: EventEmitter<{ end: [WorkEnd] }>;
}

/**
 * The services over a store, as far as the API needs them: keys, sessions, endpoints and inspector are the
 * product's own; publishing, sending and flows are short and do what they say. Nothing is sent anywhere.
 */
export async function createTestServices(store: Store & RecordStore, clock: Clock): Promise<TestServices> {
  const workEnds = new EventEmitter<{ end: [WorkEnd] }>();
  const random = randomBytes;
  const records: RecordStore = store;
  const secretBox = createSecretBox(Buffer.alloc(32, 7).toString('base64'), random);
  const policy = createAddressPolicy(['127.0.0.0/8']);
  const keys = await createKeyService({ records, clock, random, adminKey: ADMIN_KEY });
  const admin = keys.authenticate(ADMIN_KEY)!;
  const inspector = await createInspector({
    records,
    clock,
    random,
    baseUrl: () => 'http://localhost:4000',
    deliveringTo: (binId) => endpoints.deliveringTo(binId),
  });
  const endpoints = await createEndpointRegistry({
    records,
    secretBox,
    clock,
    random,
    checkExpression: () => null,
    hasBin: (binId) => inspector.hasBin(binId),
    vet: (url) => vetDestination(url, policy, () => Promise.resolve(['93.184.215.14'])),
  });

  const delivery = async (id: string): Promise<DeliveryRow> => {
    const [row] = await store.reader.deliveriesById([id]);
    if (row == null) throw new HooklineError('NOT_FOUND', `There is no delivery "${id}".`);
    return row;
  };
  const amend = async (deliveryId: string, action: 'retry' | 'cancel'): Promise<DeliveryRow> => {
    const before = await delivery(deliveryId);
    const result = await store.amend({ deliveryId, action });
    if (result !== 'amended') throw new HooklineError('CONFLICT', `The delivery is ${before.status}.`);
    return delivery(deliveryId);
  };
  const sendDirect = async (event: ReturnType<typeof makeEvent>, endpointId: string, context: unknown) => {
    const debt = owe(clock, endpointId, { context: context === undefined ? null : JSON.stringify(context) });
    const [result] = await store.append([{ ...newEvent(event, debt), direct: true }]);
    if (result?.kind !== 'accepted') throw new Error('the event is known already');
    return delivery(result.deliveryIds[0]!);
  };

  return {
    workEnds,
    store,
    endpoints,
    keys,
    inspector,
    sessions: createSessionService({ clock, random, principal: admin }),
    replays: {
      start: () => Promise.reject(new Error('not asked for here')),
      find: () => null,
      list: () => [],
      cancel: () => Promise.reject(new Error('not asked for here')),
    },
    explanations: { explain: () => Promise.reject(new Error('not asked for here')) },
    sources: {
      list: () => [MES],
      find: (nameOrId) => (nameOrId === MES.id || nameOrId === MES.name ? MES : null),
      revealSecret: () => 'not asked for here',
    },
    events: {
      publish: async ({ id, type, data, occurredAt, test, hops }) => {
        const event = makeEvent(clock, {
          source: null,
          type,
          data,
          ...(id === undefined ? {} : { id }),
          ...(occurredAt === undefined ? {} : { occurredAt }),
          test: test ?? false,
          hops: hops ?? 0,
        });
        const result = await store.append([newEvent(event)]);
        const [stored] = await store.reader.eventsById([result[0]!.id]);
        return stored!;
      },
    },
    deliveries: {
      sendTest: (endpointId, type) =>
        sendDirect(makeEvent(clock, { type, test: true }), endpointId, undefined),
      sendTo: ({ endpointId, payload, context }) =>
        sendDirect(makeEvent(clock, { data: payload, source: null }), endpointId, context),
      retry: (id) => amend(id, 'retry'),
      cancel: (id) => amend(id, 'cancel'),
    },
    flows: {
      apply: ({ owner, endpoints: declared }) => endpoints.declare(owner, declared),
      work: (endpointId, prefetch, connection) => {
        const { signal } = new AbortController();
        const claim = store.claim({
          pool: endpointId,
          worker: 'test',
          maxInFlight: prefetch,
          leaseMs: 60_000,
          signal,
        });
        const leases = claim[Symbol.asyncIterator]();
        return {
          [Symbol.asyncIterator]: () => ({
            next: () => leases.next(),
            return: async () => {
              workEnds.emit('end', { endpointId, wasLost: connection.wasLost() });
              await leases.return?.();
              return { done: true, value: undefined };
            },
          }),
        };
      },
      settle: async (items) => {
        const settled = items.map(({ deliveryId, token, outcome, error }) => ({
          deliveryId,
          token,
          attempt: makeAttempt(clock, {
            outcome: outcome === 'SUCCEEDED' ? 'SUCCESS' : 'FLOW_ERROR',
            error: error ?? null,
          }),
          status: outcome,
          dueAt: null,
          step: 1,
          reason: null,
          causes: [],
        }));
        await store.record(settled);
        return Promise.all(items.map(({ deliveryId }) => delivery(deliveryId)));
      },
    },
    [Symbol.asyncDispose]: async () => {
      await endpoints[Symbol.asyncDispose]();
      inspector[Symbol.dispose]();
      keys[Symbol.dispose]();
    },
  };
}
