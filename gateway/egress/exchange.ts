import type { Dispatcher, Pool } from 'undici';
import type { Clock } from '../clock.ts';
import { lostAnswer, unsent } from './lost-exchange.ts';
import type { PlainError } from './lost-exchange.ts';
import type { Job, OriginPool } from './pools.ts';
import type { PostOutcome, PostRequest, PostResult } from './post-request.ts';
import type { TimerWheel, WheelEntry } from './timer-wheel.ts';

/** Answers' headers beyond this many characters are dropped. */
const MAX_KEPT_HEADERS = 16 * 1024;

/** So much unwanted body is read to keep the connection usable; beyond it, a new connection is cheaper. */
const DRAIN_BYTES = 64 * 1024;

/** Thrown into undici for a request that ran out of time while its connection was made: it is dropped unsent. */
const ABANDONED = new Error('the request ran out of time before it was sent');
const CUT = new Error('the rest of the answer is not wanted');
const OUT_OF_TIME = new Error('the attempt ran out of time');

/** What an exchange needs of its surroundings. */
export interface ExchangeContext {
  /** Unix milliseconds, for durations and deadlines. */
  readonly clock: Clock;
  readonly wheel: TimerWheel;
}

/**
 * One request in flight: undici's handler, the entry in the timer wheel and the answer so far in one object,
 * because this is the hot path. It settles exactly once.
 */
export class Exchange implements Dispatcher.DispatchHandler, WheelEntry, Job {
  dueTick = 0;
  readonly #context: ExchangeContext;
  readonly #request: PostRequest;
  readonly #options: Dispatcher.DispatchOptions;
  readonly #whom: string;
  readonly #origin: OriginPool;
  readonly #settle: (result: PostResult) => void;
  readonly #startedAt: number;
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;
  #released = false;
  #statusCode = 0;
  #headers: Record<string, string> = {};
  #first: Buffer | undefined;
  #more: Buffer[] | undefined;
  #received = 0;

  /**
   * Starts at once.
   * @param options the request in undici's terms
   * @param whom host and port, for messages
   */
  constructor(
    context: ExchangeContext,
    request: PostRequest,
    options: Dispatcher.DispatchOptions,
    whom: string,
    origin: OriginPool,
    settle: (result: PostResult) => void,
  ) {
    this.#context = context;
    this.#request = request;
    this.#options = options;
    this.#whom = whom;
    this.#origin = origin;
    this.#settle = settle;
    this.#startedAt = context.clock.now();
    context.wheel.add(this, request.timeoutMs, this.#startedAt);
    origin.submit(this);
  }

  send(pool: Pool): void {
    pool.dispatch(this.#options, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Throwing drops the request and keeps the connection; aborting would cost the connection.
    if (this.#settled) throw ABANDONED;
    this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (statusCode < 200) return;
    this.#statusCode = statusCode;
    this.#headers = keepHeaders(headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const room = this.#request.maxResponseBytes - this.#received;
    this.#received += chunk.length;
    if (room > 0) this.#keep(chunk.length <= room ? chunk : chunk.subarray(0, room));
    if (chunk.length <= room) return;
    if (!this.#settled) this.#respond(true);
    if (this.#received > this.#request.maxResponseBytes + DRAIN_BYTES) controller.abort(CUT);
  }

  onResponseEnd(): void {
    if (!this.#settled) this.#respond(false);
    this.#release();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (!this.#settled) this.#settleFailure(error);
    this.#release();
  }

  /** The time is up: called by the wheel. */
  expire(): void {
    if (!this.#settled) this.#settleTimeout();
    if (this.#controller !== undefined) this.#controller.abort(OUT_OF_TIME);
    else this.#origin.withdraw(this);
  }

  #settleFailure(error: Error): void {
    if (this.#statusCode !== 0) {
      this.#respond(true, {
        code: 'BODY_BROKE_OFF',
        message: `${this.#whom} closed the connection within its answer`,
      });
    } else if (this.#controller !== undefined) {
      this.#fail('UNKNOWN', lostAnswer(error, this.#whom));
    } else {
      this.#fail(...unsent(error, this.#whom));
    }
  }

  #settleTimeout(): void {
    const { timeoutMs } = this.#request;
    if (this.#statusCode !== 0) {
      const message = `the answer of ${this.#whom} did not end within ${timeoutMs} ms`;
      this.#respond(true, { code: 'BODY_TIMEOUT', message });
    } else if (this.#controller !== undefined) {
      const message = `${this.#whom} did not answer within ${timeoutMs} ms`;
      this.#fail('TIMEOUT', { code: 'ANSWER_TIMEOUT', message });
    } else {
      const message = `no connection to ${this.#whom} within ${timeoutMs} ms`;
      this.#fail('TIMEOUT', { code: 'CONNECT_TIMEOUT', message });
    }
  }

  #keep(chunk: Buffer): void {
    if (this.#first === undefined) this.#first = chunk;
    else (this.#more ??= [this.#first]).push(chunk);
  }

  #respond(bodyTruncated: boolean, error?: PlainError): void {
    const body = this.#more === undefined ? this.#first : Buffer.concat(this.#more);
    const result: PostResult = {
      outcome: 'RESPONSE',
      bytesSent: true,
      statusCode: this.#statusCode,
      headers: this.#headers,
      body: body === undefined ? '' : body.toString('utf8'),
      bodyTruncated,
      durationMs: this.#context.clock.now() - this.#startedAt,
    };
    if (error !== undefined) result.error = error;
    this.#finish(result);
  }

  #fail(outcome: PostOutcome, error: PlainError): void {
    this.#finish({
      outcome,
      bytesSent: this.#controller !== undefined,
      error,
      durationMs: this.#context.clock.now() - this.#startedAt,
    });
  }

  #finish(result: PostResult): void {
    this.#settled = true;
    this.#settle(result);
  }

  /** undici is done with it, settled or not: what remains of an answer may be read after it was settled. */
  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#context.wheel.remove(this);
    this.#origin.release();
  }
}

/** undici's record as it is where it is plain and small, which is nearly always; else a bounded copy. */
function keepHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  let size = 0;
  let plain = true;
  for (const name in headers) {
    const value = headers[name];
    if (typeof value !== 'string') plain = false;
    else size += name.length + value.length;
  }
  if (plain && size <= MAX_KEPT_HEADERS) return headers as Record<string, string>;
  // Without a prototype, so that a header named __proto__ is a header.
  const kept: Record<string, string> = Object.create(null);
  let room = MAX_KEPT_HEADERS;
  for (const [name, value = ''] of Object.entries(headers)) {
    const text = typeof value === 'string' ? value : value.join(', ');
    room -= name.length + text.length;
    if (room < 0) break;
    kept[name] = text;
  }
  return kept;
}
