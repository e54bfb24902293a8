import {
  dataSchema,
  type EventType,
  identifier,
  type JsonSchema,
  objectOf,
  quantity,
  text,
  time,
  word,
} from './event-type.ts';

const workOrder: JsonSchema = objectOf(
  {
    id: identifier('Id of the work order in the MES.'),
    orderNumber: text('Number that people know it by.'),
    status: word('Where it stands.', [
      'CREATED',
      'RELEASED',
      'OPEN',
      'IN_PROGRESS',
      'PAUSED',
      'ON_HOLD',
      'COMPLETED',
      'CANCELLED',
    ]),
    product: text('What is made.'),
    quantity: quantity('Pieces ordered.'),
    completedQuantity: quantity('Pieces made.'),
    priority: word('How urgent it is.', ['LOW', 'NORMAL', 'HIGH', 'CRITICAL', 'URGENT']),
    customer: text('Who ordered it.'),
    dueDate: time('When it has to be done.'),
    startDate: time('When production began.'),
    estimatedCompletionDate: time('When it is expected to be done.'),
    completionDate: time('When production ended.'),
    notes: text('Free text.'),
    operationIds: { type: ['array', 'null'], items: { type: 'string' }, description: 'Its operations.' },
    createdAt: time('When it was entered.'),
    updatedAt: time('When it was last changed.'),
  },
  ['id'],
  'The work order, with the fields that matter to this event.',
);

/** The vendor promises "what changed" and shows no form; the two that its other parts use are understood. */
const changes: JsonSchema = {
  description:
    'What changed: the new values by field name, or a list of { field, oldValue, newValue }. The MES may send it here or inside workOrder.',
  type: ['object', 'array', 'null'],
  items: { type: 'object', properties: { field: { type: 'string' }, oldValue: {}, newValue: {} } },
};

const previousValues: JsonSchema = {
  description: 'What the changed fields were before, by field name.',
  type: ['object', 'null'],
};

/** The life of a work order. */
export const workOrderEventTypes: readonly EventType[] = [
  {
    name: 'work_order.created',
    description: 'A work order was entered.',
    dialect: 'machshop',
    deprecated: false,
    schema: dataSchema({ workOrder }, ['workOrder']),
    example: {
      id: 'evt-8f41c07a',
      type: 'work_order.created',
      timestamp: '2026-03-09T05:42:10.000Z',
      data: {
        workOrder: {
          id: 'wo-5120',
          orderNumber: 'WO-2026-0412',
          product: 'Pump housing PH-80',
          quantity: 120,
          dueDate: '2026-03-13T16:00:00.000Z',
        },
      },
    },
  },
  {
    name: 'work_order.started',
    description: 'Production of a work order began.',
    dialect: 'machshop',
    deprecated: false,
    schema: dataSchema({ workOrder }, ['workOrder']),
    example: {
      id: 'evt-8f41c0b3',
      type: 'work_order.started',
      timestamp: '2026-03-09T06:05:31.000Z',
      data: {
        workOrder: { id: 'wo-5120', status: 'IN_PROGRESS', startDate: '2026-03-09T06:05:31.000Z' },
      },
    },
  },
  {
    name: 'work_order.completed',
    description: 'Production of a work order ended; says how many pieces were made.',
    dialect: 'machshop',
    deprecated: false,
    schema: dataSchema({ workOrder }, ['workOrder']),
    example: {
      id: 'evt-8f41c9d2',
      type: 'work_order.completed',
      timestamp: '2026-03-11T13:47:55.000Z',
      data: {
        workOrder: {
          id: 'wo-5120',
          orderNumber: 'WO-2026-0412',
          status: 'COMPLETED',
          completedQuantity: 118,
          completionDate: '2026-03-11T13:47:55.000Z',
        },
      },
    },
  },
  {
    name: 'work_order.updated',
    description: 'A field of a work order changed; says what changed where the MES does.',
    dialect: 'machshop',
    deprecated: false,
    schema: dataSchema({ workOrder, changes, previousValues }),
    example: {
      id: 'evt-8f41c51e',
      type: 'work_order.updated',
      timestamp: '2026-03-10T09:14:02.000Z',
      data: {
        workOrder: {
          id: 'wo-5120',
          orderNumber: 'WO-2026-0412',
          priority: 'HIGH',
          dueDate: '2026-03-12T10:00:00.000Z',
        },
        changes: { priority: 'HIGH', dueDate: '2026-03-12T10:00:00.000Z' },
        previousValues: { priority: 'NORMAL', dueDate: '2026-03-13T16:00:00.000Z' },
      },
    },
  },
];
