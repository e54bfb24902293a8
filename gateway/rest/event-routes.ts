import { badInput } from '../errors.ts';
import { eventTypes } from '../events/catalog.ts';
import { parseMoment } from '../graphql/moment.ts';
import type { PublishInput, Services } from '../services.ts';
import { isoTime } from './endpoint-json.ts';
import { refuseUnknownMembers } from './json-body.ts';
import type { JsonBody } from './json-body.ts';
import type { Route } from './route.ts';

/** `/api/v2/events` and `/api/v2/event-types`. */
export function eventRoutes({ events }: Pick<Services, 'events'>): Route[] {
  return [
    {
      method: 'POST',
      path: '/api/v2/events',
      scopes: ['events:publish'],
      async answer({ readBody }) {
        const { id, type, occurredAt, receivedAt, test } = await events.publish(
          publishInput(await readBody()),
        );
        // Not its data: whoever may only publish must not learn, by its id, what somebody else said.
        return {
          status: 201,
          body: { id, type, timestamp: isoTime(occurredAt), receivedAt: isoTime(receivedAt), test },
        };
      },
    },
    {
      method: 'GET',
      path: '/api/v2/event-types',
      scopes: 'anyone',
      answer: () => ({ status: 200, body: { data: eventTypes } }),
    },
  ];
}

function publishInput(body: JsonBody): PublishInput {
  refuseUnknownMembers(body, ['id', 'type', 'timestamp', 'data', 'test', 'hops']);
  const { type, data } = body;
  if (typeof type !== 'string')
    throw badInput('type', 'An event needs a type, such as "work_order.created".');
  if (data === undefined) throw badInput('data', 'An event needs data; null where there is nothing to say.');
  const input: PublishInput = { type, data };
  const { id, timestamp, test, hops } = body;
  if (id !== undefined) {
    if (typeof id !== 'string') throw badInput('id', 'The id must be text; leave it out to have one made.');
    input.id = id;
  }
  if (timestamp !== undefined) {
    const occurredAt = parseMoment(timestamp);
    if (occurredAt === null) {
      throw badInput(
        'timestamp',
        'The timestamp must be ISO 8601 with an offset, such as 2026-01-31T08:00:00Z.',
      );
    }
    input.occurredAt = occurredAt;
  }
  if (test !== undefined) {
    if (typeof test !== 'boolean') throw badInput('test', '"test" must be true or false.');
    input.test = test;
  }
  if (hops !== undefined) {
    if (!Number.isInteger(hops) || (hops as number) < 0)
      throw badInput('hops', 'The hops must be a whole number from 0.');
    input.hops = hops as number;
  }
  return input;
}
