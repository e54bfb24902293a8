import { eventTypes } from './catalog.ts';

/**
 * The catalogue's spelling of an event type. Senders write the same name with dots, underscores, hyphens or
 * nothing between the words, in small or capital letters (`work_order.created`, `work-order.created`,
 * `workorder.created`, `WORK_ORDER_CREATED`), and some with a word more or less.
 * @returns the catalogue's name, or the sender's own to the letter where it is not another spelling of one
 */
export function normaliseType(name: string): string {
  if (VENDOR_TYPES.has(name)) return name;
  return ALIASES.get(bareForm(name)) ?? name;
}

/**
 * As `normaliseType`, for senders that name the trigger of a workflow rather than an event. Of those names one
 * is published (`downtime_categorized`); the others are the labels of the triggers in plausible spellings.
 * Words this general mean a trigger only where a workflow sends them, so other dialects do not use them.
 */
export function normaliseTriggerName(name: string): string {
  return TRIGGER_NAMES.get(bareForm(name)) ?? normaliseType(name);
}

/** Only names of plain letters are compared: everything else is not a spelling of ours. */
const PLAIN_NAME = /^[A-Za-z0-9._ -]+$/;

/** The letters and digits of a name alone. A name that is not plain gives itself, which no table holds. */
function bareForm(name: string): string {
  return PLAIN_NAME.test(name) ? name.toLowerCase().replaceAll(/[._ -]/g, '') : name;
}

/** The operational types are ours alone: no spelling of a sender becomes one of them. */
const VENDOR_TYPES: ReadonlySet<string> = new Set(
  eventTypes.filter(({ dialect }) => dialect !== 'hookline').map(({ name }) => name),
);

/**
 * Spellings that differ by more than separators and case. Names that only come near a catalogued event
 * (`material.issued`, `quality.inspection.failed`, `WORK_ORDER_STATUS_CHANGED`) carry other data and stay what
 * they are.
 */
const OTHER_SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  'quality.inspection_complete': ['quality.inspection.completed'],
  'inventory.material_allocated': ['material.allocated'],
  'inventory.material_consumed': ['material.consumed'],
  'downtime.categorized': ['downtime.categorised'],
};

const ALIASES: ReadonlyMap<string, string> = new Map([
  ...[...VENDOR_TYPES].map((type) => [bareForm(type), type] as const),
  ...byBareForm(OTHER_SPELLINGS),
]);

const TRIGGER_NAMES: ReadonlyMap<string, string> = new Map(
  byBareForm({
    'downtime.categorized': ['downtime', 'downtime_categorized_as', 'downtime_categorised_as'],
    'alarm.triggered': ['alarm', 'alarm_raised', 'machine_alarm', 'machine_alarm_triggered'],
    'workflow.triggered': [
      'manual',
      'manual_trigger',
      'manually_triggered',
      'operator',
      'operator_trigger',
      'operator_triggered',
      'operator_triggered_manually',
      'operator_triggers_manually',
    ],
    'schedule.fired': ['schedule', 'scheduled', 'schedule_triggered', 'scheduled_trigger'],
    'machine.status_changed': [
      'machine_status',
      'machine_status_change',
      'machine_status_changes',
      'machine_state_change',
      'machine_state_changed',
      'machine_state_changes',
      'status_change',
      'status_changed',
    ],
  }),
);

function byBareForm(spellings: Readonly<Record<string, readonly string[]>>): (readonly [string, string])[] {
  return Object.entries(spellings).flatMap(([type, names]) =>
    names.map((name) => [bareForm(name), type] as const),
  );
}
