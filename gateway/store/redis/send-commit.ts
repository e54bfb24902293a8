import type { Clock } from '../../clock.ts';
import { parseDeliveryId } from '../delivery-id.ts';
import type { Lease } from '../store.ts';
import type { Waiting, WaitingAppend } from './append-queue.ts';
import { toLease, type CommitAnswer } from './commit-answer.ts';
import { CommitRequest, type PendingSettlement } from './commit-request.ts';
import { renameCause, resolveConflict } from './id-conflict.ts';
import type { LocalClaims, LocalLease } from './local-claims.ts';
import type { PoolLook } from './pool-watch.ts';
import type { RedisConnection, ScriptAnswer } from './redis-connection.ts';

export type WaitingSettlement = Waiting<PendingSettlement, 'recorded' | 'stale'>;

/** What goes out with one command. */
export interface Commit {
  appends: WaitingAppend[];
  settlements: WaitingSettlement[];
  /** To be looked at, beside those that the above speak of. */
  pools: ReadonlySet<string>;
}

export interface CommitSender {
  connection: RedisConnection;
  clock: Clock;
  /** Names this process among those of the installation. */
  process: string;
  /** It counts as gone where it was not heard of for this long. */
  aliveMs: number;
  claims: LocalClaims;
  /** The lanes of a pool for which others know that this process has room. */
  maskOf(pool: string): number;
}

export interface CommitOutcome {
  /** What an id that was taken sends round again. */
  again: Pick<Commit, 'appends' | 'settlements'>;
  /** Leases of claims that ended while they were on their way. */
  unwanted: { seq: number; token: number }[];
  looks: PoolLook[];
  /** The last numbers that were given: a place in the journal and a fencing token; 0 for none. */
  seq: number;
  token: number;
}

/**
 * Sends what waits as one command, answers whoever waited for it, and hands the leases that were granted to the claims.
 * @throws STORE_UNAVAILABLE where it was refused or its answer was lost; nobody has been answered then.
 */
export async function sendCommit(sender: CommitSender, commit: Commit): Promise<CommitOutcome> {
  const { connection, clock, claims, process, aliveMs } = sender;
  const { appends, settlements } = commit;
  const request = new CommitRequest();
  const pools = new Set(commit.pools);
  for (const { input } of settlements) request.addSettlement(input);
  for (const { input } of appends) request.addAppend(input);
  for (const pool of request.pools) pools.add(pool);
  // Their room is free with this very command.
  const ending = takeLeases(claims, settlements);
  for (const { pool } of ending) pools.add(pool);
  const order = Array.from(pools);
  const sentAt = clock.now();
  let answer: ScriptAnswer<CommitAnswer>;
  try {
    answer = await connection.run<CommitAnswer>(
      'commit',
      {
        process,
        aliveMs,
        settlements: request.settlements,
        appends: request.appends,
        pools: order.map((pool) => [pool, sender.maskOf(pool), claims.roomOf(pool)]),
      },
      request.texts,
    );
  } catch (error) {
    for (const lease of ending) claims.restore(lease);
    throw error;
  }
  const { result } = answer;
  // How far the command's clock is ahead of ours.
  const shiftMs = result.now - sentAt;
  const settledAgain = answerSettlements(settlements, result, (token) => {
    const lease = ending.find((ended) => ended.token === token);
    if (lease) claims.restore(lease);
  });
  const unwanted = handOut(claims, request, answer, shiftMs);
  return {
    again: { appends: answerAppends(appends, result), settlements: settledAgain },
    unwanted,
    looks: order.map((pool, index) => {
      const [wakeAt, mask] = result.pools[index]!;
      return { pool, mask, dueAt: wakeAt === null ? null : wakeAt - shiftMs };
    }),
    seq: Math.max(0, ...result.appends.map((outcome) => (Array.isArray(outcome) ? outcome.at(-1)! : 0))),
    token: Math.max(0, ...result.grants.map(([, , token]) => token)),
  };
}

function takeLeases(claims: LocalClaims, settlements: readonly WaitingSettlement[]): LocalLease[] {
  return settlements.flatMap(({ input: { settlement } }) => {
    const lease = claims.take(parseDeliveryId(settlement.deliveryId) ?? 0, settlement.token);
    return lease ? [lease] : [];
  });
}

/** @returns those that have to go round again. */
function answerAppends(appends: readonly WaitingAppend[], result: CommitAnswer): WaitingAppend[] {
  return appends.flatMap((waiting, index) => {
    const outcome = result.appends[index]!;
    if (Array.isArray(outcome)) {
      waiting.resolve({ seqs: outcome, id: waiting.input.event.id });
      return [];
    }
    const next = resolveConflict(waiting.input, outcome);
    if (!('duplicateOf' in next)) return [{ ...waiting, input: next }];
    waiting.resolve(next);
    return [];
  });
}

/** @returns those that have to go round again; `keep` is told that their leases go on. */
function answerSettlements(
  settlements: readonly WaitingSettlement[],
  result: CommitAnswer,
  keep: (token: number) => void,
): WaitingSettlement[] {
  return settlements.flatMap((waiting, index) => {
    const { settlement, causes } = waiting.input;
    const outcome = result.settlements[index]!;
    if (typeof outcome !== 'number') {
      keep(settlement.token);
      return [{ ...waiting, input: { settlement, causes: renameCause(causes, outcome) } }];
    }
    waiting.resolve(outcome === 1 ? 'recorded' : 'stale');
    return [];
  });
}

/** @returns the leases of claims that ended while they were on their way. */
function handOut(
  claims: LocalClaims,
  request: CommitRequest,
  answer: ScriptAnswer<CommitAnswer>,
  shiftMs: number,
): { seq: number; token: number }[] {
  const byClaim = new Map<number, Lease[]>();
  const unwanted: { seq: number; token: number }[] = [];
  for (const grant of answer.result.grants) {
    const [claimId, seq, token, expires, lane] = grant;
    const expiresAt = expires - shiftMs;
    if (!claims.note(claimId, { seq, token, lane, expiresAt })) {
      unwanted.push({ seq, token });
      continue;
    }
    const lease = toLease(grant, expiresAt, request, answer);
    const leases = byClaim.get(claimId);
    if (leases) leases.push(lease);
    else byClaim.set(claimId, [lease]);
  }
  for (const [claimId, leases] of byClaim) claims.push(claimId, leases);
  return unwanted;
}
