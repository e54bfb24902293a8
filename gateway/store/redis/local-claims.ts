import { PushQueue } from '../push-queue.ts';
import type { Claim, Lease } from '../store.ts';

/** A claim's room as a command is told of it: number, room, room for retries, leases out, how long a lease lasts. */
export type ClaimRoom = [id: number, room: number, retryRoom: number, out: number, leaseMs: number];

export interface LocalLease {
  seq: number;
  token: number;
  claimId: number;
  pool: string;
  /** 1: counts as a retry. */
  lane: 0 | 1;
  /** Unix ms by the caller's clock. */
  expiresAt: number;
}

interface LocalClaim {
  id: number;
  pool: string;
  maxInFlight: number;
  leaseMs: number;
  queue: PushQueue<readonly Lease[]>;
  out: number;
  retriesOut: number;
}

/**
 * The claims of this process and the leases they hold. No other process knows of them: whoever grants leases here
 * knows how much room there is, and the rest of the installation knows the leases.
 */
export class LocalClaims {
  readonly #claims = new Map<number, LocalClaim>();
  readonly #leases = new Map<number, LocalLease>();
  #nextId = 1;
  /** No lease ends before this. */
  #firstExpiry = Infinity;

  /** @param onEnd called when it was told to stop (`feeder`) and when whoever took leases has left (`consumer`). */
  open(
    { pool, maxInFlight, leaseMs }: Claim,
    onEnd: (id: number, by: 'feeder' | 'consumer') => void,
  ): PushQueue<readonly Lease[]> {
    const id = this.#nextId++;
    const queue = new PushQueue<readonly Lease[]>((by) => onEnd(id, by));
    this.#claims.set(id, { id, pool, maxInFlight, leaseMs, queue, out: 0, retriesOut: 0 });
    return queue;
  }

  /** It gets nothing any more; what it holds goes on. */
  end(id: number): void {
    this.#claims.delete(id);
  }

  /** Those of this pool that are open. */
  roomOf(pool: string): ClaimRoom[] {
    const rooms: ClaimRoom[] = [];
    for (const { id, pool: own, maxInFlight, leaseMs, out, retriesOut } of this.#claims.values()) {
      if (own !== pool) continue;
      // Retries never take the last half.
      rooms.push([id, maxInFlight - out, Math.max(1, maxInFlight >> 1) - retriesOut, out, leaseMs]);
    }
    return rooms;
  }

  get pools(): Set<string> {
    return new Set(Array.from(this.#claims.values(), ({ pool }) => pool));
  }

  get leases(): Iterable<LocalLease> {
    return this.#leases.values();
  }

  /** @returns false where the claim has ended meanwhile: the lease is to be handed back. */
  note(claimId: number, lease: Omit<LocalLease, 'claimId' | 'pool'>): boolean {
    const claim = this.#claims.get(claimId);
    if (!claim) return false;
    this.#forget(lease.seq);
    this.restore({ ...lease, claimId, pool: claim.pool });
    return true;
  }

  /** The lease is over, where this token holds it. @returns it */
  take(seq: number, token: number): LocalLease | undefined {
    const lease = this.#leases.get(seq);
    if (lease?.token !== token) return undefined;
    this.#forget(seq);
    return lease;
  }

  /** It is not over after all. */
  restore(lease: LocalLease): void {
    this.#leases.set(lease.seq, lease);
    if (lease.expiresAt < this.#firstExpiry) this.#firstExpiry = lease.expiresAt;
    const claim = this.#claims.get(lease.claimId);
    if (!claim) return;
    claim.out++;
    if (lease.lane === 1) claim.retriesOut++;
  }

  push(claimId: number, leases: readonly Lease[]): void {
    this.#claims.get(claimId)?.queue.push(leases);
  }

  /** A lease lasts until then now. */
  renewed(seq: number, expiresAt: number): void {
    const lease = this.#leases.get(seq);
    if (!lease) return;
    lease.expiresAt = expiresAt;
    if (expiresAt < this.#firstExpiry) this.#firstExpiry = expiresAt;
  }

  /** Drops what has run out. */
  expire(now: number): void {
    if (now < this.#firstExpiry) return;
    this.#firstExpiry = Infinity;
    for (const { seq, expiresAt } of this.#leases.values()) {
      if (expiresAt <= now) this.#forget(seq);
      else if (expiresAt < this.#firstExpiry) this.#firstExpiry = expiresAt;
    }
  }

  /** Drops what a claim holds. @returns it, to be handed back */
  takeFrom(claimId: number): LocalLease[] {
    const taken = Array.from(this.#leases.values()).filter((lease) => lease.claimId === claimId);
    for (const { seq } of taken) this.#forget(seq);
    return taken;
  }

  /** Ends all claims. */
  close(): void {
    for (const { queue } of this.#claims.values()) queue.close();
  }

  #forget(seq: number): void {
    const lease = this.#leases.get(seq);
    if (!lease) return;
    this.#leases.delete(seq);
    const claim = this.#claims.get(lease.claimId);
    if (!claim) return;
    claim.out--;
    if (lease.lane === 1) claim.retriesOut--;
  }
}
