import type { ReplayJob } from '../services.ts';
import type { Cursor } from '../store/journal.ts';
import type { EventWhere } from '../store/store-reader.ts';

/** Which events a replay is about, and what it makes of them. */
export interface ReplaySelection {
  endpointId: string;
  where: EventWhere;
  onlyFailed: boolean;
  onlyMissing: boolean;
}

/** What one step is about to queue, written down before it does: whoever takes over can tell what came of it. */
export interface PlannedStep {
  debts: PlannedDebt[];
  /** Passed over because a delivery of it is still running. */
  skipped: number;
  /** Every event up to here is dealt with once the step is done; null where there was none. */
  cursor: Cursor | null;
  /** Nothing is left beyond the cursor. */
  isLast: boolean;
}

export interface PlannedDebt {
  eventId: string;
  /** Of the delivery that is to begin anew; null where there is none yet. */
  generation: number | null;
}

/** The right to carry a replay on, for one process at a time. */
export interface ReplayLease {
  owner: string;
  /** Unix ms. */
  until: number;
}

/** A replay as it is kept in the collection `replays`. */
export interface StoredReplay extends ReplaySelection, Omit<ReplayJob, 'id' | 'endpointId'> {
  /** Deliveries queued per second, on average. */
  perSecond: number;
  /** Every event up to here is dealt with; null before the first. */
  cursor: Cursor | null;
  /** The step that was begun and not finished. */
  step: PlannedStep | null;
  lease: ReplayLease | null;
}

/** Renewed with every step; who does not for this long has lost the replay to another process. */
export const REPLAY_LEASE_MS = 30_000;

/** True where this process carries it on, and nobody called it off. */
export function isRunBy(replay: StoredReplay, owner: string): boolean {
  return replay.status === 'RUNNING' && replay.lease?.owner === owner;
}

/** Takes the lease where it is free, keeps it where it is ours; the same object where neither is due. */
export function leaseReplay(replay: StoredReplay, owner: string, now: number): StoredReplay {
  const { status, lease } = replay;
  if (status !== 'RUNNING') return replay;
  if (lease !== null && lease.owner !== owner && lease.until > now) return replay;
  if (lease?.owner === owner && lease.until - now > REPLAY_LEASE_MS / 2) return replay;
  return { ...replay, lease: { owner, until: now + REPLAY_LEASE_MS } };
}

/** Writes down what is about to be queued; the same object where it is no longer ours to do. */
export function beginStep(replay: StoredReplay, step: PlannedStep, owner: string, now: number): StoredReplay {
  if (!isRunBy(replay, owner)) return replay;
  return { ...replay, step, lease: { owner, until: now + REPLAY_LEASE_MS } };
}

/**
 * Counts what a step has queued. A replay that was called off meanwhile keeps that, with the true count; one
 * that another process took over is left alone, for that one repeats the step.
 * @param queued made or begun anew; what was planned beyond that runs by itself already
 */
export function finishStep(
  replay: StoredReplay,
  { step, queued }: { step: PlannedStep; queued: number },
  owner: string,
  now: number,
): StoredReplay {
  if (replay.lease?.owner !== owner) return replay;
  const after: StoredReplay = {
    ...replay,
    queued: replay.queued + queued,
    skipped: replay.skipped + step.skipped + step.debts.length - queued,
    cursor: step.cursor,
    step: null,
    lease: { owner, until: now + REPLAY_LEASE_MS },
  };
  if (after.status !== 'RUNNING') return { ...after, lease: null };
  return step.isLast ? { ...after, status: 'DONE', finishedAt: now, lease: null } : after;
}

/** Nobody carries it on any more; the reason is for people. */
export function failReplay(replay: StoredReplay, error: string, now: number): StoredReplay {
  if (replay.status !== 'RUNNING') return replay;
  return { ...replay, status: 'FAILED', error, finishedAt: now, lease: null };
}

/** Called off by a person. Its lease stays: the step that is under way is still to be counted. */
export function cancelReplay(replay: StoredReplay, now: number): StoredReplay {
  return replay.status === 'RUNNING' ? { ...replay, status: 'CANCELLED', finishedAt: now } : replay;
}

/** Hands it to whoever comes first. */
export function releaseReplay(replay: StoredReplay, owner: string): StoredReplay {
  return replay.lease?.owner === owner ? { ...replay, lease: null } : replay;
}

/** As the API shows it. */
export function toReplayJob(id: string, replay: StoredReplay): ReplayJob {
  const { endpointId, status, total, queued, skipped, error, createdAt, finishedAt } = replay;
  return { id, endpointId, status, total, queued, skipped, error, createdAt, finishedAt };
}
