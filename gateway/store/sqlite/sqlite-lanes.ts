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
  held: boolean;
  maxConcurrency: number;
  inFlight: number;
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

  setEndpoint(no: number, settings: { pool?: string; held?: boolean; maxConcurrency?: number }): void {
    const endpoint = this.#endpoint(no);
    if (settings.held !== undefined) endpoint.held = settings.held;
    if (settings.maxConcurrency !== undefined) endpoint.maxConcurrency = settings.maxConcurrency;
    if (settings.pool !== undefined && endpoint.pool === null) {
      endpoint.pool = settings.pool;
      for (const lane of endpoint.lanes) if (lane.nextDueAt < Infinity) this.#wait(lane);
    }
  }

  poolOf(no: number): string | null {
    return this.#endpoints.get(no)?.pool ?? null;
  }

  isHeld(no: number): boolean {
    return this.#endpoints.get(no)?.held ?? false;
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
    if (place.dueAt > now || lane.nextDueAt <= now || !hasRoom(endpoint)) return null;
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

  /** When to look again without being told: the next due time or lease end, Infinity for never. */
  wakeAt(now: number): number {
    let wakeAt = Infinity;
    for (const [pool, lanes] of this.#waiting) {
      if (!this.#poolHasRoom(pool)) continue;
      for (const { endpoint, nextDueAt } of lanes) {
        // What is due already and did not go waits for room: its lease's end calls, not the clock.
        if (nextDueAt > now && nextDueAt < wakeAt && hasRoom(endpoint)) wakeAt = nextDueAt;
      }
    }
    if (this.#leases.size === 0) this.#firstExpiry = Infinity;
    return Math.min(wakeAt, this.#firstExpiry);
  }

  /** Grants from one lane until its turn is over, its room is used up, or nothing more is due. */
  #takeTurn(lane: Lane, now: number, granted: HeldLease[]): void {
    const { endpoint } = lane;
    const before = granted.length;
    while (lane.nextDueAt <= now && granted.length === before) {
      if (!hasRoom(endpoint) || !this.#claimFor(endpoint, lane.lane)) return;
      const places = this.#readLane(endpoint.no, lane.lane, lane.cursor, TURN);
      lane.nextDueAt = places.length < TURN ? Infinity : places[TURN - 1]!.dueAt;
      for (const place of places) {
        const claim = hasRoom(endpoint) ? this.#claimFor(endpoint, lane.lane) : null;
        if (place.dueAt > now || !claim) {
          lane.nextDueAt = place.dueAt;
          return;
        }
        lane.cursor = place;
        if (!this.#leases.has(place.seq)) granted.push(this.#grant(place.seq, lane, claim, now));
      }
    }
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
    lane.endpoint.inFlight++;
    claim.inFlight++;
    if (lane.lane === 1) claim.retriesInFlight++;
    return lease;
  }

  #end(lease: HeldLease): void {
    this.#leases.delete(lease.seq);
    const endpoint = this.#endpoint(lease.endpointNo);
    endpoint.inFlight--;
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
      endpoint = {
        no,
        pool: null,
        held: false,
        maxConcurrency: DEFAULT_MAX_CONCURRENCY,
        inFlight: 0,
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

function hasRoom(endpoint: EndpointLanes): boolean {
  return !endpoint.held && endpoint.inFlight < endpoint.maxConcurrency;
}

function isBefore(a: Place, b: Place): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.seq < b.seq);
}

function samePlace(a: Place, b: Place): boolean {
  return a.dueAt === b.dueAt && a.seq === b.seq;
}
