import type { Clock } from '../clock.ts';
import { HooklineError } from '../errors.ts';
import type { RecordMirror } from '../store/record-mirror.ts';
import type { Store } from '../store/store.ts';
import type { EndpointRuntime } from './endpoint-runtime.ts';
import type { EndpointRegistry } from './endpoints.ts';
import { createReplayPlanner, planRest } from './replay-plan.ts';
import type { ReplayPlanner } from './replay-plan.ts';
import {
  beginStep,
  failReplay,
  finishStep,
  isRunBy,
  leaseReplay,
  releaseReplay,
  type StoredReplay,
} from './replay-record.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Where the end of a replay is noted; a pino logger fits. */
export interface ReplayLog {
  info(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export interface ReplayRunnerOptions {
  mirror: RecordMirror<StoredReplay>;
  store: Store;
  endpoints: Pick<EndpointRegistry, 'runtime'>;
  subscriptions: Pick<Subscriptions, 'oweOne'>;
  clock: Clock;
  log: ReplayLog;
  /** Names this process in leases. */
  owner: string;
}

/** Carries on what replays nobody else does. */
export interface ReplayRunner {
  /** Something about this replay has changed, or it is new: it is taken on where it is free, else watched. */
  consider(id: string): void;
  /** Ends each replay of this process after its present step, and leaves it to others. */
  close(): Promise<void>;
}

/** One step queues at most this many, and no more than a second's worth. */
const MOST_PER_STEP = 200;
const TRY_AGAIN_AFTER_MS = 5_000;

/**
 * Replays go on step by step: write down what is to be queued, queue it, write down that it is. The lease that
 * each of these writes renews keeps all other processes off; who finds it run out carries on from there.
 */
export function startReplayRunner(options: ReplayRunnerOptions): ReplayRunner {
  const { mirror, store, endpoints, subscriptions, clock, log, owner } = options;
  const runs = new Map<string, Promise<void>>();
  const watches = new Map<string, () => void>();
  const pauses = new Set<() => void>();
  let isClosing = false;

  const consider = (id: string): void => {
    watches.get(id)?.();
    watches.delete(id);
    const replay = mirror.get(id)?.value;
    if (isClosing || runs.has(id) || replay?.status !== 'RUNNING') return;
    const { lease } = replay;
    if (lease !== null && lease.owner !== owner && lease.until > clock.now()) {
      watches.set(
        id,
        clock.wakeAt(lease.until, () => consider(id)),
      );
      return;
    }
    const run = runReplay(id).finally(() => {
      runs.delete(id);
      consider(id);
    });
    runs.set(id, run);
  };

  /** Never rejects. */
  const runReplay = async (id: string): Promise<void> => {
    let planner: ReplayPlanner | null = null;
    while (!isClosing && mirror.get(id) !== undefined) {
      const startedAt = clock.now();
      try {
        const { value: replay } = await update(id, (present) => leaseReplay(present, owner, startedAt));
        if (!isRunBy(replay, owner)) return;
        planner ??= createReplayPlanner({
          reader: store.reader,
          subscriptions,
          selection: replay,
          after: replay.step === null ? replay.cursor : replay.step.cursor,
        });
        const planned = await takeStep(id, replay, planner);
        if (mirror.get(id)?.value.status !== 'RUNNING') return logEnd(id);
        await pauseUntil(startedAt + (planned / replay.perSecond) * 1000);
      } catch (error) {
        planner = null;
        if (await giveUp(id, error)) return;
        await pauseUntil(clock.now() + TRY_AGAIN_AFTER_MS);
      }
    }
    // Where that fails the lease runs out by itself.
    await update(id, (present) => releaseReplay(present, owner)).catch(() => undefined);
  };

  /** @returns how many deliveries it planned: what the pace is measured by. */
  const takeStep = async (id: string, replay: StoredReplay, planner: ReplayPlanner): Promise<number> => {
    const runtime = requireRuntime(endpoints.runtime(replay.endpointId), replay.endpointId);
    const finish = async (step: NonNullable<StoredReplay['step']>, queued: number): Promise<number> => {
      await update(id, (present) => finishStep(present, { step, queued }, owner, clock.now()));
      return step.debts.length;
    };
    const again = !replay.onlyMissing;
    if (replay.step !== null) {
      const parts = { reader: store.reader, subscriptions, selection: replay };
      const { doneCount, owes } = await planRest(parts, replay.step, runtime, clock.now());
      return finish(replay.step, doneCount + (owes.length === 0 ? 0 : await store.owe(owes, { again })));
    }
    const quota = Math.min(MOST_PER_STEP, Math.max(1, Math.floor(replay.perSecond)));
    const { owes, ...step } = await planner.next(runtime, quota, clock.now());
    if (owes.length === 0) return finish(step, 0);
    const { value: begun } = await update(id, (present) => beginStep(present, step, owner, clock.now()));
    // Called off, or lost to another process, before anything was queued.
    if (!isRunBy(begun, owner)) return 0;
    return finish(step, await store.owe(owes, { again }));
  };

  /** @returns true where it has ended with that, false where it is to be tried again. */
  const giveUp = async (id: string, error: unknown): Promise<boolean> => {
    if (isClosing || (error instanceof HooklineError && error.code === 'STORE_UNAVAILABLE')) return false;
    try {
      await update(id, (present) => failReplay(present, describeFailure(error), clock.now()));
      return true;
    } catch {
      // The store cannot keep that now: the next try meets the same fault, and can.
      return false;
    } finally {
      log.error({ err: error, replayId: id }, 'replay failed');
    }
  };

  const update = (
    id: string,
    change: (present: StoredReplay) => StoredReplay,
  ): ReturnType<typeof mirror.update> =>
    mirror.update(id, (present) => {
      if (present === undefined) throw new HooklineError('NOT_FOUND', `The replay "${id}" is gone.`);
      return change(present);
    });

  const logEnd = (id: string): void => {
    const { status, queued, skipped } = mirror.get(id)!.value;
    log.info({ replayId: id, status, queued, skipped }, 'replay ended');
  };

  const pauseUntil = async (at: number): Promise<void> => {
    if (isClosing) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        pauses.delete(end);
        cancel();
        resolve();
      };
      const cancel = clock.wakeAt(at, end);
      pauses.add(end);
    });
  };

  return {
    consider,
    async close() {
      isClosing = true;
      for (const cancel of watches.values()) cancel();
      for (const end of pauses) end();
      await Promise.all(runs.values());
    },
  };
}

function requireRuntime(runtime: EndpointRuntime | null, endpointId: string): EndpointRuntime {
  if (runtime !== null && runtime.endpoint.retiredAt === null) return runtime;
  throw new HooklineError(
    'CONFLICT',
    `The endpoint "${endpointId}" was deleted: nothing is sent to it any more.`,
  );
}

function describeFailure(error: unknown): string {
  if (error instanceof HooklineError && error.code === 'CURSOR_EXPIRED') {
    return 'The store was restored or moved meanwhile, so the place in it is lost: start the replay again.';
  }
  return error instanceof HooklineError
    ? error.message
    : 'It failed inside; the log of the gateway has the details. Start the replay again.';
}
