import {
  dataSchema,
  type EventType,
  type JsonSchema,
  objectOf,
  optionalObjectOf,
  quantity,
  text,
  time,
  word,
} from './event-type.ts';

const machine: JsonSchema = objectOf(
  {
    id: { type: ['string', 'integer'], description: 'Id of the machine in the monitoring system.' },
    name: text('Name on the shop floor.'),
    group: text('Group of machines it belongs to.'),
  },
  [],
  'The machine it happened on.',
);

const operator: JsonSchema = optionalObjectOf(
  {
    id: { type: ['string', 'integer', 'null'], description: 'Id of the operator.' },
    name: text('Name of the operator. Personal data: hidden from readers without the scope.'),
  },
  'Who was at the machine.',
);

/** The execution states of MTConnect; the monitoring system itself tells active from inactive. */
const EXECUTION_STATES = [
  'ACTIVE',
  'READY',
  'WAIT',
  'FEED_HOLD',
  'INTERRUPTED',
  'OPTIONAL_STOP',
  'PROGRAM_COMPLETED',
  'PROGRAM_STOPPED',
  'STOPPED',
  'UNAVAILABLE',
  'INACTIVE',
] as const;

/**
 * What machine monitoring reports. A sample is published for the first only; for the others the vendor lists
 * what they contain, not in which form, so they demand nothing.
 */
export const machineEventTypes: readonly EventType[] = [
  {
    name: 'downtime.categorized',
    description:
      'A stop of a machine got a category, by an operator or a rule; possibly long after it began, and possibly again with another one.',
    dialect: 'machinemetrics',
    deprecated: false,
    schema: dataSchema(
      {
        machine,
        downtime: objectOf({
          duration_seconds: quantity('Seconds the machine has stood so far, or stood in all.'),
          category: text('The category, in the words of the plant.'),
          notes: text('What the operator wrote.'),
        }),
        operator,
      },
      ['machine', 'downtime'],
    ),
    example: {
      id: 'evt_6f0f0a5be7c14e0d9d2b8a4471c3e95a',
      type: 'downtime.categorized',
      timestamp: '2026-03-09T07:48:30.000Z',
      data: {
        machine: { id: 'mill-02', name: 'Mill 2', group: 'Milling' },
        downtime: { duration_seconds: 1260, category: 'Tool change', notes: 'Insert broken, holder fine' },
        operator: { id: 'op-17', name: 'Jonas Weber' },
      },
    },
  },
  {
    name: 'alarm.triggered',
    description: "A machine's controller raised an alarm.",
    dialect: 'machinemetrics',
    deprecated: false,
    schema: dataSchema({
      machine,
      alarm: optionalObjectOf({
        code: { type: ['string', 'integer', 'null'], description: "The controller's own code." },
        description: text('What the controller says.'),
        severity: {
          type: ['string', 'number', 'null'],
          description: 'How bad it is, in the words of the vendor, or from 1 to 1000.',
        },
      }),
    }),
    example: {
      id: 'evt_0b7d1f3c2a9e48568e41d7705bb61f24',
      type: 'alarm.triggered',
      timestamp: '2026-03-09T07:27:30.000Z',
      data: {
        machine: { id: 'mill-02', name: 'Mill 2', group: 'Milling' },
        alarm: { code: 'SV0401', description: 'Servo drive of the Z axis not ready', severity: 'CRITICAL' },
      },
    },
  },
  {
    name: 'workflow.triggered',
    description: 'An operator started a workflow by hand, at the machine.',
    dialect: 'machinemetrics',
    deprecated: false,
    schema: dataSchema({
      machine,
      operator,
      workflow: optionalObjectOf({ name: text('Name of the workflow.'), notes: text('What was written.') }),
    }),
    example: {
      id: 'evt_c4e2907db0184b3f95a6f2d1183c7e60',
      type: 'workflow.triggered',
      timestamp: '2026-03-09T09:03:12.000Z',
      data: {
        machine: { id: 'lathe-01', name: 'Lathe 1', group: 'Turning' },
        operator: { id: 'op-22', name: 'Aylin Demir' },
        workflow: { name: 'Call quality to the machine' },
      },
    },
  },
  {
    name: 'schedule.fired',
    description: 'The time of a scheduled workflow came.',
    dialect: 'machinemetrics',
    deprecated: false,
    schema: dataSchema({
      workflow: optionalObjectOf({
        name: text('Name of the workflow.'),
        schedule: {
          type: ['string', 'object', 'null'],
          description: 'When it runs, as configured.',
        },
        time_zone: text('Time zone of the schedule.'),
      }),
    }),
    example: {
      id: 'evt_91a35d08ef6c4d7ab2c70fe64f1d5b83',
      type: 'schedule.fired',
      timestamp: '2026-03-09T14:00:00.000Z',
      data: { workflow: { name: 'Shift hand-over', schedule: '0 6,14,22 * * *', time_zone: 'UTC' } },
    },
  },
  {
    name: 'machine.status_changed',
    description: 'A machine went from one state to another.',
    dialect: 'machinemetrics',
    deprecated: false,
    schema: dataSchema({
      machine,
      status: {
        type: ['string', 'object', 'null'],
        description: 'The new state, alone or beside the one before it.',
        properties: {
          previous: word('State before.', EXECUTION_STATES),
          current: word('State now.', EXECUTION_STATES),
          since: time('When the state began, where that is not the time of the event.'),
        },
      },
    }),
    example: {
      id: 'evt_57d9c1126ab84f0f8a3e9405d2e6b71c',
      type: 'machine.status_changed',
      timestamp: '2026-03-09T07:27:29.000Z',
      data: {
        machine: { id: 'mill-02', name: 'Mill 2', group: 'Milling' },
        status: { previous: 'ACTIVE', current: 'INTERRUPTED' },
      },
    },
  },
];
