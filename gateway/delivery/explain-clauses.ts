import type { Event } from '../events/event.ts';
import { compileTypeFilter } from '../events/subscription.ts';
import type { DeliveryExplanation, Endpoint } from '../services.ts';
import type { NewDelivery } from '../store/store.ts';
import { describeDisabled } from './explain-words.ts';
import { isOwnNews } from './replay-own-news.ts';

/** One clause of a subscription, and what it says about an event. */
export type ExplainedClause = DeliveryExplanation['clauses'][number];

/**
 * Each clause of a subscription as it is now, and what it says about this event, in the order in which they are
 * asked. The event matches where all but `active` do.
 * @param debt what the endpoint's expressions make of the event; null where its filter says no
 */
export function explainClauses(
  event: Event,
  endpoint: Endpoint,
  debt: Pick<NewDelivery, 'reason'> | null,
): ExplainedClause[] {
  return [
    { clause: 'active', ...explainActive(endpoint) },
    { clause: 'types', ...explainTypes(event, endpoint) },
    { clause: 'machines', ...explainMachines(event, endpoint) },
    { clause: 'test', ...explainTest(event, endpoint) },
    { clause: 'filter', ...explainFilter(endpoint, debt) },
  ];
}

type Said = Pick<ExplainedClause, 'matched' | 'detail'>;

function explainActive({ active, paused, retiredAt, disabledReason }: Endpoint): Said {
  if (retiredAt !== null) return { matched: false, detail: 'the endpoint is deleted' };
  if (!active)
    return { matched: false, detail: `the endpoint is switched off${describeDisabled(disabledReason)}` };
  return {
    matched: true,
    detail: paused ? 'the endpoint is switched on, and paused' : 'the endpoint is switched on',
  };
}

function explainTypes(event: Event, { id, events }: Endpoint): Said {
  const { type } = event;
  if (isOwnNews(event, id)) {
    return {
      matched: false,
      detail: `type ${type} is about this endpoint, which is never told about itself`,
    };
  }
  const matched = compileTypeFilter(events)(type);
  if (events.length === 0) return { matched, detail: 'the endpoint subscribes to no event type' };
  return { matched, detail: `type ${type} is ${matched ? '' : 'not '}among ${listNames(events)}` };
}

function explainMachines({ machine }: Event, { machines, machineGroups }: Endpoint): Said {
  if (machines.length === 0 && machineGroups.length === 0)
    return { matched: true, detail: 'all machines are taken' };
  const groups = machineGroups.length === 0 ? [] : [`the groups ${listNames(machineGroups)}`];
  const wanted = [...(machines.length === 0 ? [] : [listNames(machines)]), ...groups].join(' and ');
  if (machine === null)
    return { matched: false, detail: `the event names no machine, and only ${wanted} are taken` };
  const matched =
    machines.includes(machine.id) || (machine.group !== undefined && machineGroups.includes(machine.group));
  const group = machine.group === undefined ? 'without a group' : `of the group ${machine.group}`;
  return { matched, detail: `machine ${machine.id} ${group} is ${matched ? '' : 'not '}among ${wanted}` };
}

function explainTest({ test }: Event, { includeTest, kind }: Endpoint): Said {
  if (!test) return { matched: true, detail: 'the event is no test' };
  const matched = includeTest || kind === 'WEBHOOK' || kind === 'INSPECTOR';
  return {
    matched,
    detail: `the event is a test, and the endpoint ${matched ? 'takes' : 'does not take'} those`,
  };
}

function explainFilter({ filter }: Endpoint, debt: Pick<NewDelivery, 'reason'> | null): Said {
  if (filter === null) return { matched: true, detail: 'there is no filter' };
  const shown = filter.length > LONGEST_SHOWN ? `${filter.slice(0, LONGEST_SHOWN)}…` : filter;
  if (debt === null) return { matched: false, detail: `the filter ${shown} is not true for it` };
  if (debt.reason === 'filter_failed')
    return { matched: false, detail: `the filter ${shown} raises an error on it` };
  return { matched: true, detail: `the filter ${shown} is true for it` };
}

const LONGEST_SHOWN = 200;
const MOST_SHOWN = 8;

function listNames(names: readonly string[]): string {
  const shown = names.slice(0, MOST_SHOWN).join(', ');
  return names.length > MOST_SHOWN ? `${shown} and ${names.length - MOST_SHOWN} more` : shown;
}
