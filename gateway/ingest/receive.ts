import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import { MAX_HOPS } from '../delivery/event-intake.ts';
import type { Subscriptions } from '../delivery/subscriptions.ts';
import { HooklineError } from '../errors.ts';
import { derivedEventId } from '../events/derived-id.ts';
import type { ParsedEvent } from '../events/dialect.ts';
import { dialects } from '../events/dialects.ts';
import { envelopeBody, formatTimestamp, withoutOwnPrefix, type Event } from '../events/event.ts';
import { isOperationalType } from '../events/subscription.ts';
import type { NewEvent, Store } from '../store/store.ts';
import { readBody } from './read-body.ts';
import type { RejectionNews } from './rejection-news.ts';
import type { SourceRegistry, SourceRuntime } from './sources.ts';

/** What became of a request, by the names of the metric `hookline_events_received_total`. */
export type ReceiveResult =
  | 'accepted'
  | 'duplicate'
  | 'bad_signature'
  | 'malformed'
  | 'too_large'
  | 'overloaded';

export interface ReceiverOptions {
  store: Store;
  sources: Pick<SourceRegistry, 'sourceRuntime'>;
  subscriptions: Pick<Subscriptions, 'owe'>;
  clock: Clock;
  maxBodyBytes: number;
  /** Told of every refused signature. */
  rejections: RejectionNews;
  log: { warn(fields: Record<string, unknown>, message: string): void };
  /** Bodies being read and appended at a time, in bytes; more is answered 503. @default 64 MiB */
  maxHeldBytes?: number;
  /** After this long without durability the answer is 503. @default 4000 */
  appendTimeoutMs?: number;
}

export type Receive = (
  request: IncomingMessage,
  response: ServerResponse,
  sourceName: string,
) => Promise<ReceiveResult | null>;

/** Two copies of bytes that carry neither id nor time count as one event for this long (decision C7). */
const DERIVED_ID_WINDOW_MS = 60_000;
const RETRY_AFTER_SECONDS = 5;

const OK = '{"ok":true}';

/**
 * The inbound route: raw bytes → signature → event → durable → 200. The order of the checks, and the answers, are
 * those of decisions C5, C6 and C15; a sender that is answered otherwise than 200 sends again.
 */
export function createReceiver(options: ReceiverOptions): Receive {
  const { store, sources, subscriptions, clock, maxBodyBytes, log } = options;
  const { maxHeldBytes = 64 * 1024 * 1024, appendTimeoutMs = 4000 } = options;
  let heldBytes = 0;

  return async (request, response, sourceName) => {
    const runtime = sources.sourceRuntime(sourceName);
    if (!runtime || !runtime.source.active) {
      request.resume();
      answer(response, 404, errorBody('NOT_FOUND', `There is no source "${sourceName.slice(0, 60)}" here.`));
      return null;
    }
    // Counted as they come: a thousand senders who are slow with their last byte must not fill the memory.
    let taken = 0;
    const hold = (bytes: number): boolean => {
      if (heldBytes + bytes > maxHeldBytes) return false;
      heldBytes += bytes;
      taken += bytes;
      return true;
    };
    try {
      const body = await readBody(request, maxBodyBytes, hold);
      if (body === 'aborted') return null;
      if (body === 'refused') {
        answerOverloaded(request, response);
        return 'overloaded';
      }
      if (body === 'too_large') {
        const message = `The body is larger than ${maxBodyBytes} bytes.`;
        answer(response, 413, errorBody('TOO_LARGE', message), { connection: 'close' });
        return 'too_large';
      }
      return await receive(request, response, runtime, body);
    } finally {
      heldBytes -= taken;
    }
  };

  async function receive(
    request: IncomingMessage,
    response: ServerResponse,
    { source, verify }: SourceRuntime,
    body: Buffer,
  ): Promise<ReceiveResult> {
    const verified = verify(body, request.headers);
    if (!verified.valid) {
      log.warn({ source: source.name, reason: verified.reason, bytes: body.length }, 'signature refused');
      options.rejections.note(source.name, verified.message);
      answer(response, 401, '{"error":"Invalid signature"}');
      return 'bad_signature';
    }
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
      answer(
        response,
        415,
        errorBody(
          'UNSUPPORTED_ENCODING',
          `Content encoding "${encoding.slice(0, 40)}" is not understood; send the body as it is.`,
        ),
      );
      return 'malformed';
    }
    const parsed = dialects[source.dialect].parse(body);
    const hops = readHops(request.headers['x-hookline-hops']);
    if (!parsed.ok || hops >= MAX_HOPS) {
      const problem = parsed.ok
        ? `The event went through Hookline ${hops} times already; break the circle.`
        : parsed.problem;
      answer(response, 400, errorBody('BAD_USER_INPUT', problem));
      return 'malformed';
    }
    const now = clock.now();
    const event = toEvent(parsed.event, source.name, body, now, hops, verified.leniently);
    const hasIdOrTime = parsed.event.id !== null || parsed.event.occurredAt !== null;
    return appendAndAnswer(response, event, hasIdOrTime ? {} : { duplicateWindowMs: DERIVED_ID_WINDOW_MS });
  }

  async function appendAndAnswer(
    response: ServerResponse,
    event: Event,
    how: Pick<NewEvent, 'duplicateWindowMs'>,
  ): Promise<ReceiveResult> {
    // It may still be stored after the 503: the sender's next try is then a duplicate.
    const timer = setTimeout(() => answerOverloaded(null, response), appendTimeoutMs);
    try {
      const owed = subscriptions.owe(event);
      // At once for nearly all: only an expression that needs the worker is waited for.
      const deliveries = owed instanceof Promise ? await owed : owed;
      const [result] = await store.append([{ event, deliveries, ...how }]);
      answer(response, 200, OK);
      return result!.kind;
    } catch (error) {
      if (!(error instanceof HooklineError)) log.warn({ err: error }, 'append failed');
      answerOverloaded(null, response);
      return 'overloaded';
    } finally {
      clearTimeout(timer);
    }
  }
}

function toEvent(
  parsed: ParsedEvent,
  source: string,
  raw: Buffer,
  receivedAt: number,
  hops: number,
  verifiedLeniently: boolean,
): Event {
  const id = parsed.id === null ? derivedEventId(source, raw) : withoutOwnPrefix(parsed.id, source);
  // Operational events are ours: one that comes from outside must not pass for one.
  const type = isOperationalType(parsed.type) ? `external.${parsed.type}` : parsed.type;
  const occurredAt = parsed.occurredAt ?? receivedAt;
  const body = envelopeBody({ id, type, timestamp: formatTimestamp(occurredAt), data: parsed.data });
  return {
    id,
    source,
    type,
    occurredAt,
    receivedAt,
    machine: parsed.machine,
    test: parsed.test,
    hops,
    body,
    raw: raw.length === Buffer.byteLength(body) && raw.toString('utf8') === body ? null : raw,
    verifiedLeniently,
  };
}

function readHops(header: string | string[] | undefined): number {
  return typeof header === 'string' && /^\d{1,3}$/.test(header) ? Number(header) : 0;
}

function answerOverloaded(request: IncomingMessage | null, response: ServerResponse): void {
  request?.resume();
  answer(response, 503, errorBody('STORE_UNAVAILABLE', 'It cannot be kept now; send it again.'), {
    'retry-after': String(RETRY_AFTER_SECONDS),
  });
}

function answer(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

function errorBody(code: string, message: string): string {
  return JSON.stringify({ error: { code, message } });
}
