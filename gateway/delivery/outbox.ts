import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { badInput, HooklineError } from '../errors.ts';
import { findEventType } from '../events/catalog.ts';
import { testEventId } from '../events/derived-id.ts';
import { envelopeBody, formatTimestamp, type Event } from '../events/event.ts';
import type { DeliveryService, Endpoint, SendToInput } from '../services.ts';
import type { DeliveryRow } from '../store/store-reader.ts';
import type { Amendment, NewEvent, Store } from '../store/store.ts';
import type { EndpointRegistry } from './endpoints.ts';
import { MAX_HOPS } from './event-intake.ts';
import { oweTo } from './fan-out.ts';

export interface OutboxOptions {
  store: Store;
  endpoints: Pick<EndpointRegistry, 'runtime'>;
  /** The installation's schedule, ms. */
  schedule: readonly number[];
  clock: Clock;
  randomText: () => string;
  maxBodyBytes: number;
}

const LONGEST_CONTEXT_BYTES = 64 * 1024;
const LONGEST_KEY = 512;
/** Type of a message that is about no event. */
const MESSAGE_TYPE = 'message.sent';

/** Deliveries that people and flows ask for one by one, and what they want of those that exist. */
export function createDeliveryService(options: OutboxOptions): DeliveryService {
  const { store, endpoints, clock, randomText } = options;

  const oneDelivery = async (message: NewEvent): Promise<DeliveryRow> => {
    const [result] = await store.append([message]);
    if (result!.kind === 'accepted') return readDelivery(store, result!.deliveryIds[0]!);
    const page = await store.reader.deliveries({
      where: { eventIds: [result!.id] },
      limit: 1,
      order: 'oldest',
      after: null,
    });
    const [existing] = page.rows;
    if (!existing)
      throw new HooklineError(
        'NOT_FOUND',
        'The delivery made with this idempotency key is forgotten already.',
      );
    return existing.row;
  };

  const amend = async (amendment: Amendment): Promise<DeliveryRow> => {
    const { deliveryId, action } = amendment;
    if (action === 'retry') {
      const [row] = await store.reader.deliveriesById([deliveryId]);
      if (row) requireInUse(endpoints, row.endpointId);
    }
    switch (await store.amend(amendment)) {
      case 'amended':
        return readDelivery(store, deliveryId);
      case 'not_found':
        throw new HooklineError('NOT_FOUND', `There is no delivery "${deliveryId.slice(0, 60)}".`);
      case 'in_progress':
        throw new HooklineError('CONFLICT', 'The delivery is being sent right now; look again in a moment.');
      case 'final':
        throw new HooklineError('CONFLICT', 'The delivery is over; there is nothing left to cancel.');
    }
  };

  return {
    async sendTest(endpointId, eventType) {
      const runtime = requireInUse(endpoints, endpointId);
      if (!runtime.endpoint.active) {
        throw new HooklineError('CONFLICT', 'The endpoint is switched off; switch it on to test it.');
      }
      const type = findEventType(eventType);
      if (!type) {
        throw badInput(
          'eventType',
          `"${eventType.slice(0, 60)}" is not in the catalog; the query eventTypes lists what is.`,
        );
      }
      const now = clock.now();
      const event = makeEvent(testEventId(randomText()), type.name, type.example.data, now, { test: true });
      return oneDelivery({ event, deliveries: [oweTo(runtime, now, options.schedule, null)], direct: true });
    },

    async sendTo(input) {
      const runtime = requireInUse(endpoints, input.endpointId);
      requireSendable(runtime.endpoint);
      const context = checkSendTo(input);
      const cause = await findCause(store, input.eventId);
      const now = clock.now();
      const event = makeEvent(messageId(input), cause?.type ?? MESSAGE_TYPE, input.payload, now, {
        machine: cause?.machine ?? null,
        test: cause?.test ?? false,
        hops: cause ? cause.hops + 1 : 0,
      });
      if (Buffer.byteLength(event.body) > options.maxBodyBytes) {
        throw new HooklineError(
          'TOO_LARGE',
          `The payload is larger than ${options.maxBodyBytes} bytes (HOOKLINE_MAX_BODY).`,
        );
      }
      return oneDelivery({
        event,
        deliveries: [oweTo(runtime, now, options.schedule, context)],
        direct: true,
      });
    },

    retry: (id) => amend({ deliveryId: id, action: 'retry' }),
    cancel: (id) => amend({ deliveryId: id, action: 'cancel' }),
  };
}

async function readDelivery(store: Store, id: string): Promise<DeliveryRow> {
  const [row] = await store.reader.deliveriesById([id]);
  if (!row) throw new HooklineError('NOT_FOUND', `There is no delivery "${id}".`);
  return row;
}

function requireInUse(
  endpoints: OutboxOptions['endpoints'],
  id: string,
): NonNullable<ReturnType<EndpointRegistry['runtime']>> {
  const runtime = endpoints.runtime(id);
  if (!runtime) throw new HooklineError('NOT_FOUND', `There is no endpoint "${id.slice(0, 60)}".`);
  if (runtime.endpoint.retiredAt !== null) {
    throw new HooklineError('CONFLICT', `The endpoint "${id}" is deleted; nothing is sent to it any more.`);
  }
  return runtime;
}

function requireSendable({ kind }: Endpoint): void {
  if (kind === 'FLOW')
    throw badInput('endpointId', 'A flow takes events, not messages; publish an event instead.');
}

/** @returns the context as JSON text. */
function checkSendTo(input: SendToInput): string | null {
  if (input.idempotencyKey.length === 0 || input.idempotencyKey.length > LONGEST_KEY) {
    throw badInput('idempotencyKey', `The idempotency key must have 1 to ${LONGEST_KEY} characters.`);
  }
  if (input.context === undefined || input.context === null) return null;
  const context = JSON.stringify(input.context);
  if (Buffer.byteLength(context) > LONGEST_CONTEXT_BYTES) {
    throw badInput(
      'context',
      `The context is larger than ${LONGEST_CONTEXT_BYTES} bytes; send only what the result needs.`,
    );
  }
  return context;
}

async function findCause(store: Store, eventId: string | undefined): Promise<Event | null> {
  if (eventId === undefined) return null;
  const [cause] = await store.reader.eventsById([eventId]);
  if (!cause) throw new HooklineError('NOT_FOUND', `There is no event "${eventId.slice(0, 60)}".`);
  if (cause.hops + 1 >= MAX_HOPS) {
    throw new HooklineError(
      'CONFLICT',
      `The event went through Hookline ${cause.hops} times already; break the circle.`,
    );
  }
  return cause;
}

/** The same key to the same endpoint is the same message: the store keeps the first. */
function messageId({ endpointId, idempotencyKey }: SendToInput): string {
  return `msg_${createHash('sha256').update(`${endpointId}\0${idempotencyKey}`).digest('hex').slice(0, 32)}`;
}

function makeEvent(
  id: string,
  type: string,
  data: unknown,
  now: number,
  more: Partial<Pick<Event, 'machine' | 'test' | 'hops'>>,
): Event {
  return {
    id,
    source: null,
    type,
    occurredAt: now,
    receivedAt: now,
    machine: null,
    test: false,
    hops: 0,
    body: envelopeBody({ id, type, timestamp: formatTimestamp(now), data }),
    raw: null,
    verifiedLeniently: false,
    ...more,
  };
}
