/**
 * How fast an endpoint may be delivered to right now: held, concurrency, rate, the rest a receiver asked for, the
 * slow start after it, and the circuit. Pure state: time comes in. One per endpoint, in whatever grants leases.
 */
export interface GateSettings {
  held: boolean;
  maxConcurrency: number;
  /** null: no limit. */
  ratePerSecond: number | null;
}

/** What a settled attempt says about its receiver. */
export interface ReceiverSign {
  /** `throttled`: too many requests; no failure, but a reason to slow down. */
  kind: 'success' | 'failure' | 'throttled';
  /** The receiver asked for this much rest, ms; null where it did not. */
  restMs: number | null;
}

/** What survives a restart. */
export interface ReceiverHealth {
  failuresInRow: number;
  /** Unix ms of the first failure since the last success; null while it is well. */
  failingSince: number | null;
  lastSuccessAt: number | null;
}

export interface GateState {
  inFlight: number;
  restUntil: number | null;
  circuit: 'closed' | 'open' | 'probing';
  nextProbeAt: number | null;
  /** Deliveries at a time right now, after what slows it down. */
  concurrency: number;
  /** When the rate allows the next one; null: now. */
  nextTokenAt: number | null;
}

/** A receiver that fails this often in a row gets probes only. */
export const CIRCUIT_OPENS_AFTER = 10;
export const PROBE_EVERY_MS = 60_000;
const SUCCESSES_TO_CLOSE = 2;
/**
 * A receiver that has not answered yet gets this many at a time, one more with each success, half with each
 * failure: a silent one holds a handful of the worker's slots, not all that it would be allowed.
 */
const FIRST_WINDOW = 4;
/** After a 429 the full rate is back after this long, whatever happens. */
const RECOVERY_MS = 5 * 60_000;
/** A receiver that only says "too many". */
const REST_AFTER_429_MS = 1_000;
/** A receiver cannot ask for more rest than this. */
const LONGEST_REST_MS = 86_400_000;

export class EndpointGate {
  inFlight = 0;
  /** Whether it has to earn its concurrency; flows, which take what they can, do not. */
  startsSlowly = false;
  readonly health: ReceiverHealth;
  #settings: GateSettings;
  #tokens: number;
  #tokensAt = 0;
  #restUntil = 0;
  /** Concurrency right after the last throttling; grows back from there. */
  #slowFrom = Infinity;
  #slowedAt = 0;
  #window = FIRST_WINDOW;
  #nextProbeAt = 0;
  #probeSuccesses = 0;

  constructor(settings: GateSettings, health: ReceiverHealth) {
    this.#settings = settings;
    this.health = health;
    this.#tokens = capacityOf(settings);
  }

  set settings(settings: GateSettings) {
    if (settings.ratePerSecond !== this.#settings.ratePerSecond) this.#tokens = capacityOf(settings);
    // Somebody switched it on again: what failed before that is forgiven, or its first failure would end it at once.
    if (this.#settings.held && !settings.held) {
      this.health.failuresInRow = 0;
      this.health.failingSince = null;
    }
    this.#settings = settings;
  }

  get isHeld(): boolean {
    return this.#settings.held;
  }

  /** How many more may go now. */
  room(now: number): number {
    if (this.#settings.held || now < this.#restUntil) return 0;
    if (this.#isOpen) return this.inFlight === 0 && now >= this.#nextProbeAt ? 1 : 0;
    return Math.min(this.#concurrency(now) - this.inFlight, Math.floor(this.#refill(now)));
  }

  /** When `room` may become more than none by the passing of time alone; Infinity where only a change helps. */
  opensAt(now: number): number {
    if (this.#settings.held) return Infinity;
    if (now < this.#restUntil) return this.#restUntil;
    if (this.#isOpen) return this.inFlight === 0 ? Math.max(this.#nextProbeAt, now) : Infinity;
    if (this.inFlight >= this.#concurrency(now)) return Infinity;
    return this.#tokenAt(now);
  }

  noteGrant(now: number): void {
    this.inFlight++;
    if (this.#settings.ratePerSecond !== null) this.#tokens = this.#refill(now) - 1;
    if (this.#isOpen) this.#nextProbeAt = now + PROBE_EVERY_MS;
  }

  noteEnd(): void {
    this.inFlight--;
  }

  noteSign(sign: ReceiverSign, now: number): void {
    if (sign.kind === 'success') this.#noteSuccess(now);
    else if (sign.kind === 'failure') this.#noteFailure(now);
    if (sign.kind === 'throttled') {
      this.#slowFrom = Math.max(1, Math.floor(this.#concurrency(now) / 2));
      this.#slowedAt = now;
    }
    const restMs = sign.restMs ?? (sign.kind === 'throttled' ? REST_AFTER_429_MS : null);
    if (restMs !== null) this.#restUntil = Math.max(this.#restUntil, now + Math.min(restMs, LONGEST_REST_MS));
  }

  state(now: number): GateState {
    const tokenAt = this.#tokenAt(now);
    return {
      inFlight: this.inFlight,
      restUntil: now < this.#restUntil ? this.#restUntil : null,
      circuit: !this.#isOpen ? 'closed' : this.#probeSuccesses > 0 || this.inFlight > 0 ? 'probing' : 'open',
      nextProbeAt: this.#isOpen ? this.#nextProbeAt : null,
      concurrency: this.#concurrency(now),
      nextTokenAt: tokenAt > now ? tokenAt : null,
    };
  }

  get #isOpen(): boolean {
    return this.health.failuresInRow >= CIRCUIT_OPENS_AFTER;
  }

  #noteSuccess(now: number): void {
    this.health.lastSuccessAt = now;
    if (this.#window < this.#settings.maxConcurrency) this.#window++;
    if (this.#isOpen && ++this.#probeSuccesses < SUCCESSES_TO_CLOSE) {
      this.#nextProbeAt = now;
      return;
    }
    this.#probeSuccesses = 0;
    this.health.failuresInRow = 0;
    this.health.failingSince = null;
  }

  #noteFailure(now: number): void {
    this.#probeSuccesses = 0;
    this.#window = Math.max(1, Math.min(this.#window, this.#settings.maxConcurrency) >> 1);
    this.health.failuresInRow++;
    this.health.failingSince ??= now;
    if (this.#isOpen) this.#nextProbeAt = now + PROBE_EVERY_MS;
  }

  #concurrency(now: number): number {
    const { maxConcurrency } = this.#settings;
    const earned = this.startsSlowly ? Math.min(this.#window, maxConcurrency) : maxConcurrency;
    if (this.#slowFrom >= maxConcurrency) return earned;
    const recovered = Math.min(1, (now - this.#slowedAt) / RECOVERY_MS);
    return Math.min(earned, Math.floor(this.#slowFrom + (maxConcurrency - this.#slowFrom) * recovered));
  }

  #refill(now: number): number {
    const { ratePerSecond } = this.#settings;
    if (ratePerSecond === null) return Infinity;
    if (now > this.#tokensAt) {
      this.#tokens = Math.min(
        capacityOf(this.#settings),
        this.#tokens + ((now - this.#tokensAt) / 1000) * ratePerSecond,
      );
      this.#tokensAt = now;
    }
    // A clock that was set back must not stop it.
    else if (this.#tokensAt - now > 1000) this.#tokensAt = now;
    return this.#tokens;
  }

  #tokenAt(now: number): number {
    const { ratePerSecond } = this.#settings;
    const tokens = this.#refill(now);
    return ratePerSecond === null || tokens >= 1
      ? now
      : now + Math.ceil(((1 - tokens) / ratePerSecond) * 1000);
  }
}

/** Up to a second's worth may go in one burst, and always one. */
function capacityOf({ ratePerSecond }: GateSettings): number {
  return ratePerSecond === null ? Infinity : Math.max(1, ratePerSecond);
}
