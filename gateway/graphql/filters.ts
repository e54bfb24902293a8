import { badInput } from '../errors.ts';
import { normaliseType } from '../events/normalise-type.ts';
import { typePatternProblem } from '../events/subscription.ts';
import type { SourceService } from '../services.ts';
import type { DeliveryWhere, EventWhere, ShownStatus } from '../store/store-reader.ts';

type Given<Value> = Value | null | undefined;

/** What the API takes. Nothing given and an empty list both mean: all. */
export interface EventFilterInput {
  types?: Given<readonly string[]>;
  sources?: Given<readonly string[]>;
  machines?: Given<readonly string[]>;
  since?: Given<number>;
  until?: Given<number>;
  test?: Given<boolean>;
}

/** What the API takes. Nothing given and an empty list both mean: all. */
export interface DeliveryFilterInput {
  endpoints?: Given<readonly string[]>;
  events?: Given<readonly string[]>;
  types?: Given<readonly string[]>;
  statuses?: Given<readonly ShownStatus[]>;
  since?: Given<number>;
  until?: Given<number>;
  test?: Given<boolean>;
}

/**
 * What the store is asked for. Sources may be given by name or by id.
 * @throws BAD_USER_INPUT for a type that is none
 */
export function eventWhere(filter: Given<EventFilterInput>, sources: SourceService): EventWhere {
  const { types, sources: names, machines, since, until, test } = filter ?? {};
  return {
    ...given('types', typePatterns(types)),
    ...given(
      'sources',
      some(names)?.map((name) => sources.find(name)?.name ?? name),
    ),
    ...given('machines', some(machines)),
    ...given('since', since),
    ...given('until', until),
    ...given('test', test),
  };
}

/**
 * What the store is asked for.
 * @throws BAD_USER_INPUT for a type that is none
 */
export function deliveryWhere(filter: Given<DeliveryFilterInput>): DeliveryWhere {
  const { endpoints, events, types, statuses, since, until, test } = filter ?? {};
  return {
    ...given('endpointIds', some(endpoints)),
    ...given('eventIds', some(events)),
    ...given('types', typePatterns(types)),
    ...given('statuses', some(statuses)),
    ...given('since', since),
    ...given('until', until),
    ...given('test', test),
  };
}

/** Exact names (also in the catalogue's spelling) and families; `undefined` where all are meant. */
function typePatterns(types: Given<readonly string[]>): readonly string[] | undefined {
  for (const type of types ?? []) {
    const problem = typePatternProblem(type);
    if (problem !== null) throw badInput('filter.types', `In the filter, ${problem}.`);
  }
  if (types?.includes('*')) return undefined;
  return some(types)?.flatMap((type) => [
    ...new Set([type, type.endsWith('.*') ? type : normaliseType(type)]),
  ]);
}

function some<Item>(list: Given<readonly Item[]>): readonly Item[] | undefined {
  return list == null || list.length === 0 ? undefined : list;
}

function given<Name extends string, Value>(name: Name, value: Given<Value>): { [name in Name]?: Value } {
  return value == null ? {} : ({ [name]: value } as { [name in Name]?: Value });
}
