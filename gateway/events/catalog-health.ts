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

const source: JsonSchema = objectOf({ name: identifier('Name of the source.') }, ['name']);

/** What the gateway notices about itself and its surroundings. */
export const healthEventTypes: readonly EventType[] = [
  {
    name: 'hookline.endpoint.disabled',
    description: 'An endpoint was switched off, by itself or after too many failures.',
    dialect: 'hookline',
    deprecated: false,
    schema: dataSchema(
      {
        endpoint: objectOf(
          {
            id: identifier('Id of the endpoint. Its address is left out: it may be a secret.'),
            description: text('What the endpoint is called.'),
          },
          ['id'],
        ),
        reason: word('A stable code for why.', ['gone', 'failing_too_long']),
      },
      ['endpoint'],
    ),
    example: {
      id: 'evt_5b20c6a1-endpoint',
      type: 'hookline.endpoint.disabled',
      timestamp: '2026-03-09T06:30:00.000Z',
      data: { endpoint: { id: 'ep_01jm8kq2wd', description: 'Planning board' }, reason: 'gone' },
    },
  },
  {
    name: 'hookline.source.silent',
    description: 'Nothing came from a source for longer than it should take.',
    dialect: 'hookline',
    deprecated: false,
    schema: dataSchema(
      {
        source,
        lastReceivedAt: time('When the last event came; null where none ever did.'),
        silentSeconds: quantity('Seconds since then.'),
      },
      ['source'],
    ),
    example: {
      id: 'evt_5b20c6a1-silent',
      type: 'hookline.source.silent',
      timestamp: '2026-03-09T08:15:00.000Z',
      data: { source: { name: 'mes' }, lastReceivedAt: '2026-03-09T07:45:00.000Z', silentSeconds: 1800 },
    },
  },
  {
    name: 'hookline.source.signature_rejected',
    description: 'Requests to a source had no valid signature.',
    dialect: 'hookline',
    deprecated: false,
    schema: dataSchema(
      {
        source,
        count: quantity('Requests refused since the last such event.'),
        since: time('When the first of them came.'),
        reason: text('Why the last one was refused; never the signature itself.'),
      },
      ['source'],
    ),
    example: {
      id: 'evt_5b20c6a1-signature',
      type: 'hookline.source.signature_rejected',
      timestamp: '2026-03-09T08:20:00.000Z',
      data: {
        source: { name: 'mes' },
        count: 3,
        since: '2026-03-09T08:19:12.000Z',
        reason: 'the signature does not match the body',
      },
    },
  },
  {
    name: 'hookline.backlog.old',
    description: 'Deliveries wait longer than they should.',
    dialect: 'hookline',
    deprecated: false,
    schema: dataSchema({
      backlog: quantity('Deliveries that wait.'),
      oldestDueAt: time('When the oldest of them was due.'),
      oldestDueSeconds: quantity('Seconds since then.'),
    }),
    example: {
      id: 'evt_5b20c6a1-backlog',
      type: 'hookline.backlog.old',
      timestamp: '2026-03-09T08:40:00.000Z',
      data: { backlog: 5210, oldestDueAt: '2026-03-09T08:34:00.000Z', oldestDueSeconds: 360 },
    },
  },
  {
    name: 'hookline.store.unavailable',
    description: 'The store could take nothing for a while; told when it can again.',
    dialect: 'hookline',
    deprecated: false,
    schema: dataSchema({
      since: time('When it began.'),
      until: time('When it ended; null where it goes on.'),
      reason: text('What the store said.'),
    }),
    example: {
      id: 'evt_5b20c6a1-store',
      type: 'hookline.store.unavailable',
      timestamp: '2026-03-09T08:51:07.000Z',
      data: {
        since: '2026-03-09T08:50:41.000Z',
        until: '2026-03-09T08:51:07.000Z',
        reason: 'the disk is full',
      },
    },
  },
];
