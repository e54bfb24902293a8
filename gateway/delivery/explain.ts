import type { Clock } from '../clock.ts';
import { HooklineError } from '../errors.ts';
import type { Event } from '../events/event.ts';
import type { DeliveryExplanation, Endpoint, ExplanationService } from '../services.ts';
import type { DeliveryRow, ShownStatus, StoreReader } from '../store/store-reader.ts';
import type { NewDelivery, Store } from '../store/store.ts';
import type { EndpointRegistry } from './endpoints.ts';
import { explainClauses } from './explain-clauses.ts';
import type { ExplainedClause } from './explain-clauses.ts';
import { explainState, waitsForKey } from './explain-state.ts';
import { describeDisabled, formatMoment } from './explain-words.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface ExplanationOptions {
  store: Pick<Store, 'reader' | 'laneStates'>;
  endpoints: Pick<EndpointRegistry, 'runtime'>;
  subscriptions: Pick<Subscriptions, 'oweOne'>;
  clock: Clock;
}

/** Answers why an event has, or has not, reached an endpoint. Reads only. */
export function createExplanationService(options: ExplanationOptions): ExplanationService {
  const { store, endpoints, subscriptions, clock } = options;
  return {
    async explain(eventId, endpointId) {
      const runtime = endpoints.runtime(endpointId);
      if (runtime === null) throw noSuch('endpoint', endpointId);
      const [event] = await store.reader.eventsById([eventId]);
      if (event == null) throw noSuch('event', eventId);
      const { endpoint } = runtime;
      const now = clock.now();
      const [row, debt] = await Promise.all([
        findDelivery(store.reader, eventId, endpointId),
        subscriptions.oweOne(event, runtime, now),
      ]);
      const clauses = explainClauses(event, endpoint, debt);
      if (row === null) {
        const missing = explainMissing(event, endpoint, clauses, debt);
        const rest = { delivery: null, waitsForDeliveryId: null, nextAttempt: null };
        return { eventId, endpointId, ...missing, ...rest, clauses, orderKey: debt?.orderKey ?? null };
      }
      const [[lane], holder] = await Promise.all([
        store.laneStates([endpointId]),
        waitsForKey(row) ? findHolder(store.reader, row, endpoint) : null,
      ]);
      return {
        eventId,
        endpointId,
        ...explainState({ row, endpoint, lane: lane!, holder, now }),
        delivery: row,
        clauses,
        waitsForDeliveryId: holder?.id ?? null,
        orderKey: row.orderKey,
      };
    },
  };
}

/** @throws NOT_FOUND for an event that was meant for another endpoint alone */
async function findDelivery(
  reader: StoreReader,
  eventId: string,
  endpointId: string,
): Promise<DeliveryRow | null> {
  const { rows } = await reader.deliveries({
    where: { eventIds: [eventId], endpointIds: [endpointId] },
    limit: 1,
    order: 'newest',
    after: null,
  });
  if (rows[0]) return rows[0].row;
  const others = await reader.deliveries({
    where: { eventIds: [eventId] },
    limit: 1,
    order: 'newest',
    after: null,
  });
  const [other] = others.rows;
  if (other?.row.direct !== true) return null;
  throw new HooklineError(
    'NOT_FOUND',
    `The event "${eventId}" was meant for the endpoint "${other.row.endpointId}" alone: ask about that one.`,
  );
}

/** May hold a key, or wait for it. */
const OPEN: readonly ShownStatus[] = ['PENDING', 'RETRYING', 'FAILED', 'SENDING', 'HELD'];
/** Beside the holder there may be some that left the order, because a person retried or replayed them. */
const MOST_OF_A_KEY = 100;

/** The delivery that the key waits for: the earliest of it that is under way, those still in the order first. */
async function findHolder(
  reader: StoreReader,
  { id, endpointId, orderKey }: DeliveryRow,
  { onFailed }: Endpoint,
): Promise<DeliveryRow | null> {
  const { rows } = await reader.deliveries({
    where: { endpointIds: [endpointId], orderKeys: [orderKey!], statuses: OPEN },
    limit: MOST_OF_A_KEY,
    order: 'oldest',
    after: null,
  });
  const others = rows
    .map(({ row }) => row)
    .filter((row) => row.id !== id && !waitsForKey(row) && !(row.status === 'FAILED' && onFailed === 'SKIP'));
  return others.find(({ generation }) => generation === 0) ?? others[0] ?? null;
}

const CODE_OF_CLAUSE = {
  types: 'TYPE_DOES_NOT_MATCH',
  machines: 'MACHINE_DOES_NOT_MATCH',
  test: 'TEST_NOT_WANTED',
  filter: 'FILTER_IS_FALSE',
} as const;

const HOW_TO_REPLAY = 'replay what is missing (replayEvents with onlyMissing)';

/** Why no delivery was made, and what helps. */
function explainMissing(
  event: Event,
  endpoint: Endpoint,
  clauses: readonly ExplainedClause[],
  debt: Pick<NewDelivery, 'reason'> | null,
): Pick<DeliveryExplanation, 'code' | 'sentence'> {
  const { retiredAt, active, createdAt, disabledReason } = endpoint;
  if (retiredAt !== null) {
    const when = formatMoment(retiredAt);
    return {
      code: 'ENDPOINT_DELETED',
      sentence: `The endpoint was deleted on ${when}: nothing is sent to it any more.`,
    };
  }
  for (const { clause, matched, detail } of clauses) {
    if (matched || clause === 'active') continue;
    const code =
      debt?.reason === 'filter_failed' && clause === 'filter' ? 'FILTER_FAILED' : CODE_OF_CLAUSE[clause];
    return {
      code,
      sentence: `It was not sent, because ${detail}. If it should be, change that and ${HOW_TO_REPLAY}.`,
    };
  }
  const received = formatMoment(event.receivedAt);
  if (event.receivedAt < createdAt) {
    const sentence = `The endpoint was made on ${formatMoment(createdAt)}, after the event was received on ${received}; to have it sent, ${HOW_TO_REPLAY}.`;
    return { code: 'ENDPOINT_IS_NEWER', sentence };
  }
  const sentence = active
    ? `It matches now, but when it was received on ${received} the endpoint was switched off, or did not subscribe to it; to have it sent, ${HOW_TO_REPLAY}.`
    : `The endpoint is switched off${describeDisabled(disabledReason)}, so nothing was queued for it; switch it on and ${HOW_TO_REPLAY}.`;
  return { code: 'ENDPOINT_WAS_OFF', sentence };
}

function noSuch(what: 'event' | 'endpoint', id: string): HooklineError {
  const remedy =
    what === 'event' ? 'it may be older than what is kept' : 'list the endpoints to see their ids';
  return new HooklineError('NOT_FOUND', `There is no ${what} "${id.slice(0, 60)}": ${remedy}.`);
}
