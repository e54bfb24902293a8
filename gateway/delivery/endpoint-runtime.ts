import { parseDuration } from '../duration.ts';
import { compileTypeFilter } from '../events/subscription.ts';
import type { Event } from '../events/event.ts';
import type { Endpoint } from '../services.ts';
import { PUSH_POOL, type LaneSettings } from '../store/store.ts';
import type { OpenEndpoint } from './endpoint-record.ts';

/** An endpoint made ready for the hot path: everything parsed and compiled, once per change. */
export interface EndpointRuntime {
  readonly endpoint: Endpoint;
  /** Who claims its deliveries: `push`, or its id where it is a flow. */
  readonly pool: string;
  /**
   * Whether it subscribes to an event. Test events published to all reach webhooks and the inspector, which get
   * them marked, and a flow that asks for them.
   */
  readonly matches: (event: Pick<Event, 'type' | 'machine' | 'test'>) => boolean;
  /** Its own pauses before each attempt, in ms; null: the installation's. */
  readonly schedule: number[] | null;
  /** The same object until something about it changes, so that signers made from it can be kept. */
  readonly secrets: (nowMs: number) => EndpointSecrets;
  /** JSONata over the event, true to deliver; null: all that `matches`. */
  readonly filter: string | null;
  /** JSONata over the event that gives the body's data; null: the event's own. */
  readonly payload: string | null;
  /** JSONata over the event that gives the FIFO key; null: unordered. */
  readonly orderBy: string | null;
  readonly onFailed: Endpoint['onFailed'];
  readonly newestOnly: boolean;
  /** What was not delivered this long after it was queued is EXPIRED; null: never. */
  readonly timeToLiveMs: number | null;
}

export interface EndpointSecrets {
  /** Empty for a flow: nothing is signed for it. */
  current: string;
  /** Replaced ones that still sign, oldest first: schemes with room for one signature use the first of them. */
  old: string[];
  /** The ed25519 key that signs beside them, `whsk_…`; null where none does. */
  privateKey: string | null;
}

/** Compiles an endpoint. */
export function compileEndpoint(open: OpenEndpoint): EndpointRuntime {
  const { endpoint } = open;
  const { filter, payload, orderBy, onFailed, newestOnly, timeToLiveSeconds } = endpoint;
  return {
    endpoint,
    pool: endpoint.kind === 'FLOW' ? endpoint.id : PUSH_POOL,
    matches: compileMatcher(endpoint),
    schedule: endpoint.retrySchedule?.map((pause) => parseDuration(pause) ?? 0) ?? null,
    secrets: createSecretsView(open),
    filter,
    payload,
    orderBy,
    onFailed,
    newestOnly,
    timeToLiveMs: timeToLiveSeconds === null ? null : timeToLiveSeconds * 1000,
  };
}

/**
 * How the lanes of an endpoint may run. A retired one is neither held nor paced: what a webhook is still owed comes out as it
 * falls due, and is cancelled; a flow, which nobody claims for, keeps it until it comes back or the retention ends.
 */
export function laneSettingsOf(endpoint: Endpoint): LaneSettings {
  const { id, paused, active, retiredAt, maxConcurrency, rateLimitPerSecond } = endpoint;
  const isInUse = retiredAt === null;
  return {
    endpointId: id,
    held: isInUse && (paused || !active),
    maxConcurrency,
    ratePerSecond: isInUse ? rateLimitPerSecond : null,
  };
}

/** Asked for every endpoint about every event: only what an endpoint restricts is looked at, nothing is made. */
function compileMatcher(endpoint: Endpoint): EndpointRuntime['matches'] {
  const covers = compileTypeFilter(endpoint.events);
  const takesTests = endpoint.includeTest || endpoint.kind === 'WEBHOOK' || endpoint.kind === 'INSPECTOR';
  if (endpoint.machines.length === 0 && endpoint.machineGroups.length === 0) {
    return takesTests ? ({ type }) => covers(type) : ({ type, test }) => !test && covers(type);
  }
  const ids = new Set(endpoint.machines);
  const groups = new Set(endpoint.machineGroups);
  return ({ type, machine, test }) =>
    machine !== null &&
    (takesTests || !test) &&
    (ids.has(machine.id) || (machine.group !== undefined && groups.has(machine.group))) &&
    covers(type);
}

function createSecretsView(open: OpenEndpoint): EndpointRuntime['secrets'] {
  const { secret, oldSecrets, privateKey } = open;
  const current = secret ?? '';
  let view: EndpointSecrets = { current, old: [], privateKey };
  let goodFrom = 0;
  let goodUntil = 0;
  return (nowMs) => {
    if (nowMs < goodFrom || nowMs >= goodUntil) {
      const valid = oldSecrets.filter(({ until }) => until > nowMs);
      view = { current, old: valid.map((old) => old.secret), privateKey };
      goodFrom = nowMs;
      goodUntil = Math.min(...valid.map(({ until }) => until), Number.POSITIVE_INFINITY);
    }
    return view;
  };
}
