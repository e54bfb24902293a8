import {
  dataSchema,
  type EventType,
  identifier,
  type JsonSchema,
  objectOf,
  text,
  time,
  word,
} from './event-type.ts';

const inspection: JsonSchema = objectOf(
  {
    id: identifier('Id of the inspection in the MES.'),
    workOrderId: text('The work order that was inspected.'),
    operationId: text('The operation that was inspected.'),
    inspectionType: word('What was looked at.', ['DIMENSIONAL', 'VISUAL', 'FUNCTIONAL']),
    result: word('Outcome.', ['PASS', 'FAIL', 'CONDITIONAL']),
    measurements: {
      type: ['object', 'null'],
      description: 'Measured values by name.',
      additionalProperties: {
        type: ['object', 'number', 'string', 'null'],
        properties: { value: {}, unit: text('Unit of the value.'), status: text('In or out of tolerance.') },
      },
    },
    inspectedBy: text('Who inspected. Personal data: hidden from readers without the scope.'),
    createdAt: time('When it was entered.'),
  },
  ['id'],
  'The inspection.',
);

const ncr: JsonSchema = objectOf(
  {
    id: identifier('Id of the nonconformance report in the MES.'),
    workOrderId: text('The work order it concerns.'),
    operationId: text('The operation it concerns.'),
    description: text('What is wrong.'),
    severity: word('How bad it is, in the words of the MES.', ['MINOR', 'MAJOR', 'HIGH', 'CRITICAL']),
    status: word('Where it stands.', ['OPEN', 'UNDER_INVESTIGATION', 'DISPOSITIONED', 'RESOLVED', 'CLOSED']),
    detectedBy: text('Who found it.'),
    detectionDate: time('When it was found.'),
    disposition: word('What becomes of the parts.', [
      'SCRAP',
      'REWORK',
      'USE_AS_IS',
      'REPAIR',
      'RETURN_TO_SUPPLIER',
    ]),
    createdAt: time('When it was entered.'),
  },
  ['id'],
  'The nonconformance report.',
);

/** What quality assurance finds. */
export const qualityEventTypes: readonly EventType[] = [
  {
    name: 'quality.inspection_complete',
    description: 'An inspection is done; says whether it passed.',
    dialect: 'machshop',
    deprecated: false,
    schema: dataSchema({ inspection }, ['inspection']),
    example: {
      id: 'evt-8f41c31b',
      type: 'quality.inspection_complete',
      timestamp: '2026-03-09T11:18:40.000Z',
      data: {
        inspection: {
          id: 'insp-2217',
          workOrderId: 'wo-5120',
          result: 'PASS',
          inspectedBy: 'Mara Lindqvist',
        },
      },
    },
  },
  {
    name: 'quality.ncr_created',
    description: 'A nonconformance was reported; says how severe it is.',
    dialect: 'machshop',
    deprecated: false,
    schema: dataSchema({ ncr }, ['ncr']),
    example: {
      id: 'evt-8f41c47d',
      type: 'quality.ncr_created',
      timestamp: '2026-03-10T08:02:19.000Z',
      data: {
        ncr: {
          id: 'ncr-0348',
          workOrderId: 'wo-5120',
          description: 'Bore diameter 0.04 mm over tolerance on two housings',
          severity: 'MAJOR',
        },
      },
    },
  },
];
