import type { Clock } from '../clock.ts';
import { badInput, HooklineError } from '../errors.ts';
import { envelopeBody, formatTimestamp, withoutOwnPrefix, type Event } from '../events/event.ts';
import { testEventId } from '../events/derived-id.ts';
import { isOperationalType } from '../events/subscription.ts';
import type { EventService, PublishInput } from '../services.ts';
import type { Store } from '../store/store.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface EventIntakeOptions {
  store: Store;
  subscriptions: Pick<Subscriptions, 'owe'>;
  clock: Clock;
  /** 16 random bytes or more, as text. */
  randomText: () => string;
  maxBodyBytes: number;
}

/** What went round this often is refused: it goes in circles (decision C26). */
export const MAX_HOPS = 5;

const LONGEST_ID = 256;
const TYPE_FORM = /^[a-z0-9_]+(?:[.-][a-z0-9_]+)*$/i;

/** Events published by programs, flows and people. */
export function createEventService(options: EventIntakeOptions): EventService {
  const { store, subscriptions, clock, randomText, maxBodyBytes } = options;
  return {
    async publish(input) {
      const event = toEvent(checkPublishInput(input), clock.now(), randomText);
      if (Buffer.byteLength(event.body) > maxBodyBytes) {
        throw new HooklineError(
          'TOO_LARGE',
          `The event is larger than ${maxBodyBytes} bytes (HOOKLINE_MAX_BODY).`,
        );
      }
      const [result] = await store.append([{ event, deliveries: await subscriptions.owe(event) }]);
      const [stored] = await store.reader.eventsById([result!.id]);
      return stored ?? event;
    },
  };
}

function checkPublishInput(input: PublishInput): PublishInput {
  if (!TYPE_FORM.test(input.type) || input.type.length > 128) {
    throw badInput(
      'type',
      `"${input.type.slice(0, 60)}" is no event type; use words with dots between, like work_order.created.`,
    );
  }
  if (isOperationalType(input.type)) {
    throw badInput(
      'type',
      `"${input.type}" is made by the gateway itself; publish under a name of your own.`,
    );
  }
  if (
    input.id !== undefined &&
    (input.id.length === 0 || input.id.length > LONGEST_ID || /\p{Cc}/u.test(input.id))
  ) {
    throw badInput(
      'id',
      `An id has 1 to ${LONGEST_ID} characters and no control characters; leave it out to have one made.`,
    );
  }
  if ((input.hops ?? 0) >= MAX_HOPS) {
    throw new HooklineError(
      'CONFLICT',
      `The event went through Hookline ${input.hops} times already: a flow publishes what it is triggered by. Break the circle.`,
    );
  }
  return input;
}

function toEvent(input: PublishInput, now: number, randomText: () => string): Event {
  const test = input.test ?? false;
  const given = input.id ?? (test ? testEventId(randomText()) : `evt_${randomText()}`);
  const id = withoutOwnPrefix(given, 'api');
  const occurredAt = input.occurredAt ?? now;
  return {
    id,
    source: null,
    type: input.type,
    occurredAt,
    receivedAt: now,
    machine: machineOf(input.data),
    test,
    hops: input.hops ?? 0,
    body: envelopeBody({ id, type: input.type, timestamp: formatTimestamp(occurredAt), data: input.data }),
    raw: null,
    verifiedLeniently: false,
  };
}

function machineOf(data: unknown): Event['machine'] {
  if (typeof data !== 'object' || data === null) return null;
  const { machine } = data as { machine?: unknown };
  if (typeof machine !== 'object' || machine === null) return null;
  const { id, name, group } = machine as Record<string, unknown>;
  if (typeof id !== 'string' || id === '') return null;
  return {
    id,
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof group === 'string' ? { group } : {}),
  };
}
