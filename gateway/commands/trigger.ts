import { readFileSync } from 'node:fs';

import { eventTypes, findEventType } from '../events/catalog.ts';
import { nearestName } from '../settings/nearest-name.ts';
import { UsageError } from './command.ts';
import type { Command } from './command.ts';
import { parseFlags } from './command-flags.ts';
import { connectToGateway } from './gateway-connection.ts';

const USAGE = `hookline trigger TYPE [flags]

Publishes one event, as if it had just happened, and prints its id.
The data is the catalogue's example for the type unless you give your own.

  --data JSON   the event's data, or @FILE to read it from a file
  --id ID       the event's id; the same id again is the same event, published once
  --test        mark it as a test event
  --url URL     another gateway than the one on the data directory; its key is HOOKLINE_ADMIN_KEY
  --json        print the event
  --help        print this

Example:
  hookline trigger work_order.completed --data '{"workOrderNumber":"WO-1042"}'
`;

const PUBLISH = `mutation Publish($input: PublishEventInput!) {
  publishEvent(input: $input) { id type occurredAt receivedAt test data }
}`;

/** `hookline trigger`: publishes one event. */
export const command: Command = {
  name: 'trigger',
  summary: 'publish one event',
  usage: USAGE,
  async run(args, io) {
    const { flags, words } = parseFlags(
      args,
      {
        data: { type: 'string' },
        id: { type: 'string' },
        test: { type: 'boolean' },
        url: { type: 'string' },
        json: { type: 'boolean' },
      },
      ['the event type'],
    );
    const [type] = words;
    if (type === undefined)
      throw new UsageError('Give the event type, such as work_order.completed (see --help).');
    const data = flags.data === undefined ? exampleData(type) : readData(flags.data);
    const { publishEvent } = await connectToGateway(io, flags.url).query<{
      publishEvent: { id: string; type: string };
    }>(PUBLISH, {
      input: {
        type,
        data,
        ...(flags.id === undefined ? {} : { id: flags.id }),
        ...(flags.test ? { test: true } : {}),
      },
    });
    io.stdout.write(
      flags.json ? `${JSON.stringify(publishEvent)}\n` : `${publishEvent.id} ${publishEvent.type}\n`,
    );
    return 0;
  },
};

/** @throws UsageError where the catalogue has no such type: then it takes `--data`. */
function exampleData(type: string): unknown {
  const found = findEventType(type);
  if (found) return found.example.data;
  const nearest = nearestName(
    type,
    eventTypes.map((entry) => entry.name),
  );
  const remedy =
    nearest === null
      ? 'Give its data with --data.'
      : `Did you mean ${nearest}? Else give its data with --data.`;
  throw new UsageError(
    `The catalogue has no event type "${type}", so there is no example to send. ${remedy}`,
  );
}

/** @throws UsageError where it is not JSON or the file cannot be read; does not repeat the data. */
function readData(given: string): unknown {
  const text = given.startsWith('@') ? readDataFile(given.slice(1)) : given;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError('The value of --data is not JSON; strings in it need double quotes.', { cause });
  }
}

function readDataFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new UsageError(`The file ${path} of --data cannot be read (${code}).`, { cause });
  }
}
