import { parseDuration } from '../duration.ts';
import { compileTypeFilter } from '../events/subscription.ts';
import type { Event } from '../events/event.ts';
import type { Endpoint } from '../services.ts';
import type { LaneSettings } from '../store/store.ts';
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
  /** Why the gateway switched it off; null where a person did, or nobody. */
  readonly disabledReason: string | null;
}

export interface EndpointSecrets {
  /** Empty for a flow: nothing is signed for it. */
  current: string;
  /** Replaced ones that still sign, oldest first: schemes with room for one signature use the first of them. */
  old: string[];
}

/** Compiles an endpoint. */
export function compileEndpoint(open: OpenEndpoint): EndpointRuntime {
  const { endpoint } = open;
  return {
    endpoint,
    pool: endpoint.kind === 'FLOW' ? endpoint.id : 'push',
    matches: compileMatcher(endpoint),
    schedule: endpoint.retrySchedule?.map((pause) => parseDuration(pause) ?? 0) ?? null,
    secrets: createSecretsView(open),
    disabledReason: open.disabledReason,
  };
}

/**
 * How the lanes of an endpoint may run. A retired one is not held: what a webhook is still owed comes out as it
 * falls due, and is cancelled; a flow, which nobody claims for, keeps it until it comes back or the retention ends.
 */
export function laneSettingsOf({ id, paused, active, retiredAt, maxConcurrency }: Endpoint): LaneSettings {
  return { endpointId: id, held: retiredAt === null && (paused || !active), maxConcurrency };
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

function createSecretsView({ secret, oldSecrets }: OpenEndpoint): EndpointRuntime['secrets'] {
  const current = secret ?? '';
  let view: EndpointSecrets = { current, old: [] };
  let goodFrom = 0;
  let goodUntil = 0;
  return (nowMs) => {
    if (nowMs < goodFrom || nowMs >= goodUntil) {
      const valid = oldSecrets.filter(({ until }) => until > nowMs);
      view = { current, old: valid.map((old) => old.secret) };
      goodFrom = nowMs;
      goodUntil = Math.min(...valid.map(({ until }) => until), Number.POSITIVE_INFINITY);
    }
    return view;
  };
}
