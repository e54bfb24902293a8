import type { Envelope } from './event.ts';
import {
  dataSchema,
  type EventType,
  identifier,
  type JsonSchema,
  objectOf,
  optionalObjectOf,
  quantity,
  text,
  time,
  word,
} from './event-type.ts';

const schema: JsonSchema = dataSchema(
  {
    delivery: objectOf(
      {
        id: identifier('Id of the delivery.'),
        status: word('Its status now.', [
          'SUCCEEDED',
          'FAILED',
          'EXHAUSTED',
          'REJECTED',
          'EXPIRED',
          'CANCELLED',
        ]),
        reason: text('A stable code for why.'),
        attemptCount: quantity('Attempts so far.'),
        nextAttemptAt: time('When it is tried again; null where it is not.'),
        createdAt: time('When the delivery was queued.'),
      },
      ['id'],
    ),
    endpoint: objectOf(
      {
        id: identifier('Id of the endpoint. Its address is left out: it may be a secret.'),
        description: text('What the endpoint is called.'),
        kind: text('What kind of endpoint it is.'),
      },
      ['id'],
    ),
    event: optionalObjectOf({
      id: identifier('Id of the event that was to be delivered.'),
      type: text('Its type.'),
    }),
    lastAttempt: optionalObjectOf({
      number: quantity('1 for the first attempt.'),
      outcome: word('How it ended.', [
        'SUCCESS',
        'DNS',
        'CONNECT',
        'TLS',
        'TIMEOUT',
        'HTTP_STATUS',
        'REDIRECT',
        'AUTH',
        'REFUSED_BY_POLICY',
        'UNKNOWN',
      ]),
      statusCode: quantity('Status of the answer, where there was one.'),
      durationMs: quantity('Milliseconds it took.'),
    }),
  },
  ['delivery', 'endpoint'],
);

/** What became of deliveries. */
export const deliveryEventTypes: readonly EventType[] = [
  deliveryEventType({
    outcome: 'failed',
    description: 'The first attempts of a delivery failed; it is tried again once a day.',
    delivery: { attemptCount: 5, reason: 'HTTP_STATUS', nextAttemptAt: '2026-03-10T06:56:03.000Z' },
    lastAttempt: { number: 5, outcome: 'HTTP_STATUS', statusCode: 503, durationMs: 211 },
  }),
  deliveryEventType({
    outcome: 'exhausted',
    description: 'The last attempt of a delivery failed; only somebody can send it again.',
    delivery: { attemptCount: 12, reason: 'TIMEOUT' },
    lastAttempt: { number: 12, outcome: 'TIMEOUT', statusCode: null, durationMs: 15000 },
  }),
  deliveryEventType({
    outcome: 'succeeded',
    description: 'A delivery arrived.',
    delivery: { attemptCount: 2 },
    lastAttempt: { number: 2, outcome: 'SUCCESS', statusCode: 200, durationMs: 48 },
  }),
  deliveryEventType({
    outcome: 'rejected',
    description: 'A delivery was given up because no further attempt can help.',
    delivery: { attemptCount: 1, reason: 'AUTH' },
    lastAttempt: { number: 1, outcome: 'AUTH', statusCode: 401, durationMs: 73 },
  }),
  deliveryEventType({
    outcome: 'expired',
    description: 'The time-to-live of a delivery passed before it arrived.',
    delivery: { attemptCount: 4, reason: 'TIME_TO_LIVE' },
    lastAttempt: { number: 4, outcome: 'CONNECT', statusCode: null, durationMs: 5003 },
  }),
  deliveryEventType({
    outcome: 'cancelled',
    description: 'Somebody cancelled a delivery before it arrived.',
    delivery: { attemptCount: 0, reason: 'CANCELLED_BY_USER' },
    lastAttempt: null,
  }),
];

function deliveryEventType(entry: {
  outcome: string;
  description: string;
  delivery: Readonly<Record<string, unknown>>;
  lastAttempt: Readonly<Record<string, unknown>> | null;
}): EventType {
  const name = `hookline.delivery.${entry.outcome}`;
  const example: Envelope = {
    id: `evt_2d5c7e91-${entry.outcome}`,
    type: name,
    timestamp: '2026-03-09T06:56:03.000Z',
    data: {
      delivery: {
        id: 'dlv_01jp1x9m4r',
        status: entry.outcome.toUpperCase(),
        reason: null,
        nextAttemptAt: null,
        createdAt: '2026-03-09T06:20:27.000Z',
        ...entry.delivery,
      },
      endpoint: { id: 'ep_01jm8kq2wd', description: 'Planning board', kind: 'WEBHOOK' },
      event: { id: 'evt-8f41c0c8', type: 'operation.started' },
      lastAttempt: entry.lastAttempt,
    },
  };
  return { name, description: entry.description, dialect: 'hookline', deprecated: false, schema, example };
}
