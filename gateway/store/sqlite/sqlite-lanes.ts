import { EndpointGate } from '../endpoint-gate.ts';
import { PUSH_POOL } from '../store.ts';

/**
 * Which delivery may go now, and to whom: lanes (endpoint × first attempts | retries), the claims that take
 * from them, and the leases that are out. All in the writer's memory: the rows are the truth, and everything
 * here can be rebuilt from them.
 */
export interface Place {
  dueAt: number;
  seq: number;
}

export interface HeldLease {
  seq: number;
  token: number;
  endpointNo: number;
  lane: 0 | 1;
  claimId: number;
  expiresAt: number;
}

export interface OpenClaim {
  id: number;
  pool: string;
  maxInFlight: number;
  leaseMs: number;
}

interface Lane {
  endpoint: EndpointLanes;
  lane: 0 | 1;
  /** Rows up to here were looked at; what is still due among them is leased. */
  cursor: Place;
  /** When the next row beyond the cursor is due; Infinity when there is none. */
  nextDueAt: number;
}

interface EndpointLanes {
  no: number;
  pool: string | null;
  gate: EndpointGate;
  retriesInFlight: number;
  lanes: [Lane, Lane];
}

interface Claimant extends OpenClaim {
  inFlight: number;
  retriesInFlight: number;
}

/** Reads what stands in a lane beyond a place, oldest due first. */
export type ReadLane = (endpointNo: number, lane: 0 | 1, after: Place, limit: number) => Place[];

/** One lane gives at most this many in its turn, so that no endpoint waits for another's whole backlog. */
const TURN = 16;
const BEFORE_ALL: Place = { dueAt: -1, seq: -1 };

export const DEFAULT_MAX_CONCURRENCY = 32;

export class Lanes {
  readonly #endpoints = new Map<number, EndpointLanes>();
  readonly #claims = new Map<number, Claimant>();
  readonly #leases = new Map<number, HeldLease>();
  /** Pools in which something may be due: only these are looked at. */
  readonly #waiting = new Map<string, Set<Lane>>();
  readonly #readLane: ReadLane;
  #nextToken: number;
  /** No lease ends before this. */
  #firstExpiry = Infinity;

  constructor(readLane: ReadLane, firstToken: number) {
    this.#readLane = readLane;
    this.#nextToken = firstToken;
  }

  /** Names who may claim from an endpoint; the first word stands. */
  setPool(no: number, pool: string): void {
    const endpoint = this.#endpoint(no);
    if (endpoint.pool !== null) return;
    endpoint.pool = pool;
    endpoint.gate.startsSlowly = pool === PUSH_POOL;
    for (const lane of endpoint.lanes) if (lane.nextDueAt < Infinity) this.#wait(lane);
  }

  poolOf(no: number): string | null {
    return this.#endpoints.get(no)?.pool ?? null;
  }

  /** How fast an endpoint may go; what is in flight and how its receiver is doing. */
  gate(no: number): EndpointGate {
    return this.#endpoint(no).gate;
  }

  lease(seq: number): HeldLease | undefined {
    return this.#leases.get(seq);
  }

  openClaim(claim: OpenClaim): void {
    this.#claims.set(claim.id, { ...claim, inFlight: 0, retriesInFlight: 0 });
  }

  /**
   * It gets nothing any more. What was leased to it is due again at once where it is handed back; else its
   * leases go on until they are settled or run out.
   */
  endClaim(id: number, handBack: boolean): void {
    const claim = this.#claims.get(id);
    if (!claim) return;
    claim.maxInFlight = 0;
    if (handBack) for (const lease of this.#leases.values()) if (lease.claimId === id) this.#putBack(lease);
    if (claim.inFlight === 0) this.#claims.delete(id);
  }

  /** A row came, or came back, with this due time. */
  enqueue(endpointNo: number, lane: 0 | 1, place: Place): void {
    const target = this.#endpoint(endpointNo).lanes[lane];
    if (isBefore(place, target.cursor) || samePlace(place, target.cursor))
      target.cursor = { dueAt: place.dueAt, seq: place.seq - 1 };
    if (place.dueAt < target.nextDueAt) target.nextDueAt = place.dueAt;
    this.#wait(target);
  }

  /**
   * Leases a new row at once where nothing stands before it and there is room: the path every delivery takes
   * while receivers keep up. @returns null where it has to wait; then it is to be enqueued.
   */
  tryGrant(endpointNo: number, place: Place, now: number): HeldLease | null {
    const endpoint = this.#endpoint(endpointNo);
    const lane = endpoint.lanes[0];
    if (place.dueAt > now || lane.nextDueAt <= now || endpoint.gate.room(now) < 1) return null;
    const claim = this.#claimFor(endpoint, 0);
    return claim ? this.#grant(place.seq, lane, claim, now) : null;
  }

  /** Ends a lease. @returns it, or null where this token no longer holds it. */
  release(seq: number, token: number): HeldLease | null {
    const lease = this.#leases.get(seq);
    if (lease?.token !== token) return null;
    this.#end(lease);
    return lease;
  }

  renew(seq: number, token: number, expiresAt: number): boolean {
    const lease = this.#leases.get(seq);
    if (lease?.token !== token) return false;
    lease.expiresAt = expiresAt;
    if (expiresAt < this.#firstExpiry) this.#firstExpiry = expiresAt;
    return true;
  }

  /** Grants all that may go now, lanes in turn. */
  grantDue(now: number): HeldLease[] {
    if (this.#firstExpiry <= now) this.#expire(now);
    const granted: HeldLease[] = [];
    for (const [pool, lanes] of this.#waiting) {
      let progress = true;
      while (progress && this.#poolHasRoom(pool)) {
        progress = false;
        for (const lane of Array.from(lanes)) {
          const before = granted.length;
          this.#takeTurn(lane, now, granted);
          if (lane.nextDueAt === Infinity) lanes.delete(lane);
          if (granted.length > before) progress = true;
          // Whoever had a turn goes to the back of the row.
          if (granted.length > before && lanes.delete(lane)) lanes.add(lane);
        }
      }
      if (lanes.size === 0) this.#waiting.delete(pool);
    }
    return granted;
  }

  /** When to look again without being told: the next due time, rate token, probe or lease end; Infinity for never. */
  wakeAt(now: number): number {
    let wakeAt = Infinity;
    for (const [pool, lanes] of this.#waiting) {
      if (!this.#poolHasRoom(pool)) continue;
      for (const { endpoint, nextDueAt } of lanes) {
        const at = Math.max(nextDueAt, endpoint.gate.opensAt(now));
        // What could go now and did not waits for a claim's room: a lease's end calls, not the clock.
        if (at > now && at < wakeAt) wakeAt = at;
      }
    }
    if (this.#leases.size === 0) this.#firstExpiry = Infinity;
    return Math.min(wakeAt, this.#firstExpiry);
  }

  /** Grants from one lane until its turn is over, its room is used up, or nothing more is due. */
  #takeTurn(lane: Lane, now: number, granted: HeldLease[]): void {
    const before = granted.length;
    while (lane.nextDueAt <= now && granted.length === before) {
      if (!this.#claimAt(lane, now)) return;
      const places = this.#readLane(lane.endpoint.no, lane.lane, lane.cursor, TURN);
      lane.nextDueAt = places.length < TURN ? Infinity : places[TURN - 1]!.dueAt;
      for (const place of places) {
        const claim = this.#claimAt(lane, now);
        if (place.dueAt > now || !claim) {
          lane.nextDueAt = place.dueAt;
          return;
        }
        lane.cursor = place;
        if (!this.#leases.has(place.seq)) granted.push(this.#grant(place.seq, lane, claim, now));
      }
    }
  }

  /** Who would get the next one out of this lane now; null where it has to wait. */
  #claimAt({ endpoint, lane }: Lane, now: number): Claimant | null {
    const room = endpoint.gate.room(now);
    if (room < 1) return null;
    // Retries leave room for first attempts, unless nobody else could use it anyway.
    if (
      lane === 1 &&
      endpoint.retriesInFlight > 0 &&
      endpoint.retriesInFlight >= (room + endpoint.gate.inFlight) >> 1
    )
      return null;
    return this.#claimFor(endpoint, lane);
  }

  #grant(seq: number, lane: Lane, claim: Claimant, now: number): HeldLease {
    const lease: HeldLease = {
      seq,
      token: this.#nextToken++,
      endpointNo: lane.endpoint.no,
      lane: lane.lane,
      claimId: claim.id,
      expiresAt: now + claim.leaseMs,
    };
    this.#leases.set(seq, lease);
    if (lease.expiresAt < this.#firstExpiry) this.#firstExpiry = lease.expiresAt;
    lane.endpoint.gate.noteGrant(now);
    claim.inFlight++;
    if (lane.lane === 1) {
      lane.endpoint.retriesInFlight++;
      claim.retriesInFlight++;
    }
    return lease;
  }

  #end(lease: HeldLease): void {
    this.#leases.delete(lease.seq);
    const endpoint = this.#endpoint(lease.endpointNo);
    endpoint.gate.noteEnd();
    if (lease.lane === 1) endpoint.retriesInFlight--;
    const claim = this.#claims.get(lease.claimId);
    if (!claim) return;
    claim.inFlight--;
    if (lease.lane === 1) claim.retriesInFlight--;
    if (claim.maxInFlight === 0 && claim.inFlight === 0) this.#claims.delete(claim.id);
  }

  #expire(now: number): void {
    this.#firstExpiry = Infinity;
    for (const lease of this.#leases.values()) {
      if (lease.expiresAt <= now) this.#putBack(lease);
      else if (lease.expiresAt < this.#firstExpiry) this.#firstExpiry = lease.expiresAt;
    }
  }

  /** The row never changed, so the lane has to look at it again from the front. */
  #putBack(lease: HeldLease): void {
    this.#end(lease);
    const lane = this.#endpoint(lease.endpointNo).lanes[lease.lane];
    lane.cursor = BEFORE_ALL;
    lane.nextDueAt = 0;
    this.#wait(lane);
  }

  /** The claimant of the pool with the fewest leases that has room; retries never take the last half. */
  #claimFor(endpoint: EndpointLanes, lane: 0 | 1): Claimant | null {
    let best: Claimant | null = null;
    for (const claim of this.#claims.values()) {
      if (claim.pool !== endpoint.pool || claim.inFlight >= claim.maxInFlight) continue;
      if (lane === 1 && claim.retriesInFlight >= Math.max(1, claim.maxInFlight >> 1)) continue;
      if (!best || claim.inFlight < best.inFlight) best = claim;
    }
    return best;
  }

  #poolHasRoom(pool: string): boolean {
    for (const claim of this.#claims.values())
      if (claim.pool === pool && claim.inFlight < claim.maxInFlight) return true;
    return false;
  }

  #wait(lane: Lane): void {
    const { pool } = lane.endpoint;
    if (pool === null) return;
    const lanes = this.#waiting.get(pool);
    if (lanes) lanes.add(lane);
    else this.#waiting.set(pool, new Set([lane]));
  }

  #endpoint(no: number): EndpointLanes {
    let endpoint = this.#endpoints.get(no);
    if (!endpoint) {
      const settings = { held: false, maxConcurrency: DEFAULT_MAX_CONCURRENCY, ratePerSecond: null };
      const health = { failuresInRow: 0, failingSince: null, lastSuccessAt: null };
      endpoint = {
        no,
        pool: null,
        gate: new EndpointGate(settings, health),
        retriesInFlight: 0,
        lanes: [] as unknown as [Lane, Lane],
      };
      endpoint.lanes = [makeLane(endpoint, 0), makeLane(endpoint, 1)];
      this.#endpoints.set(no, endpoint);
    }
    return endpoint;
  }
}

function makeLane(endpoint: EndpointLanes, lane: 0 | 1): Lane {
  return { endpoint, lane, cursor: BEFORE_ALL, nextDueAt: Infinity };
}

function isBefore(a: Place, b: Place): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.seq < b.seq);
}

function samePlace(a: Place, b: Place): boolean {
  return a.dueAt === b.dueAt && a.seq === b.seq;
}
