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

const operation: JsonSchema = objectOf(
  {
    id: identifier('Id of the operation in the MES.'),
    workOrderId: text('The work order it belongs to.'),
    sequence: quantity('Its place among the operations of the work order.'),
    operationType: word('What is done.', ['WELD', 'DRILL', 'ASSEMBLY']),
    status: word('Where it stands.', ['PENDING', 'IN_PROGRESS', 'COMPLETED', 'SKIPPED', 'BLOCKED']),
    startDate: time('When it began.'),
    completionDate: time('When it ended.'),
    plannedStartTime: time('When it should begin.'),
    plannedEndTime: time('When it should end.'),
    actualStartTime: time('When it began, in the words of the REST interface.'),
    actualEndTime: time('When it ended, in the words of the REST interface.'),
    estimatedDuration: quantity('Minutes it should take.'),
    actualDuration: quantity('Minutes it took.'),
    assignedOperator: text('Who does it.'),
    createdAt: time('When it was entered.'),
    updatedAt: time('When it was last changed.'),
  },
  ['id'],
  'The operation, with the fields that matter to this event.',
);

/** The steps of a work order. */
export const operationEventTypes: readonly EventType[] = [
  {
    name: 'operation.started',
    description: 'An operation of a work order began.',
    dialect: 'machshop',
    deprecated: false,
    schema: dataSchema({ operation }, ['operation']),
    example: {
      id: 'evt-8f41c0c8',
      type: 'operation.started',
      timestamp: '2026-03-09T06:20:00.000Z',
      data: {
        operation: {
          id: 'op-9031',
          workOrderId: 'wo-5120',
          operationType: 'MILL',
          startDate: '2026-03-09T06:20:00.000Z',
        },
      },
    },
  },
  {
    name: 'operation.completed',
    description: 'An operation of a work order ended; its duration is in minutes.',
    dialect: 'machshop',
    deprecated: false,
    schema: dataSchema({ operation }, ['operation']),
    example: {
      id: 'evt-8f41c2a6',
      type: 'operation.completed',
      timestamp: '2026-03-09T10:55:00.000Z',
      data: {
        operation: {
          id: 'op-9031',
          workOrderId: 'wo-5120',
          status: 'COMPLETED',
          completionDate: '2026-03-09T10:55:00.000Z',
          actualDuration: 275,
        },
      },
    },
  },
];
