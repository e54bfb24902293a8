import type { Clock } from '../clock.ts';
import { badInput, HooklineError } from '../errors.ts';
import type { ReplayInput, ReplayJob, ReplayService } from '../services.ts';
import { createRecordMirror } from '../store/record-mirror.ts';
import type { RecordStore } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { EndpointRuntime } from './endpoint-runtime.ts';
import type { EndpointRegistry } from './endpoints.ts';
import { createReplayPlanner } from './replay-plan.ts';
import { cancelReplay, REPLAY_LEASE_MS, toReplayJob } from './replay-record.ts';
import type { ReplaySelection, StoredReplay } from './replay-record.ts';
import { startReplayRunner } from './replay-runner.ts';
import type { ReplayLog, ReplayRunner } from './replay-runner.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface ReplayOptions {
  store: Store & RecordStore;
  endpoints: Pick<EndpointRegistry, 'runtime'>;
  subscriptions: Pick<Subscriptions, 'oweOne'>;
  clock: Clock;
  /** 12 random bytes or more, as text. */
  randomText: () => string;
  log: ReplayLog;
}

export const USUAL_REPLAYS_PER_SECOND = 50;
const SLOWEST_PER_SECOND = 0.1;
const FASTEST_PER_SECOND = 1000;
/** Of those that are over. */
const KEPT_REPLAYS = 200;

/**
 * Replays: durable jobs that queue what happened once more, at a pace. Every process that shares the store follows
 * all of them and one carries each on. Those that are running go on from here; closing leaves them to others.
 */
export async function createReplayService(options: ReplayOptions): Promise<ReplayService & AsyncDisposable> {
  const { store, endpoints, subscriptions, clock, randomText } = options;
  const owner = randomText();
  let runner: ReplayRunner | undefined;
  const mirror = await createRecordMirror<StoredReplay>({
    records: store,
    collection: 'replays',
    clock,
    onChange: (id) => runner?.consider(id),
  });
  runner = startReplayRunner({ ...options, mirror, owner });
  for (const { id } of mirror.all()) runner.consider(id);

  const count = async (selection: ReplaySelection, runtime: EndpointRuntime): Promise<number> => {
    const planner = createReplayPlanner({ reader: store.reader, subscriptions, selection, after: null });
    for (let total = 0; ;) {
      const plan = await planner.next(runtime, Infinity, clock.now());
      total += plan.debts.length;
      if (plan.isLast) return total;
    }
  };

  /** The oldest of those that are over make room. Where that comes too late for one, it is there a little longer. */
  const forgetOld = async (): Promise<void> => {
    const over = [...mirror.all()].filter(({ value }) => value.status !== 'RUNNING').sort(byNewest);
    const changes = over
      .slice(KEPT_REPLAYS)
      .map(({ id, version }) => ({ id, value: null, ifVersion: version }));
    await mirror.commit(changes);
  };

  const jobOf = (id: string): ReplayJob | null => {
    const record = mirror.get(id);
    return record === undefined ? null : toReplayJob(id, record.value);
  };

  return {
    async start(input) {
      const perSecond = checkReplayInput(input);
      const runtime = requireInUse(endpoints.runtime(input.endpointId), input.endpointId);
      const now = clock.now();
      const selection = selectEvents(input, now);
      const total = await count(selection, runtime);
      if (input.dryRun === true) return { count: total, job: null };
      await forgetOld();
      const id = `rpl_${randomText()}`;
      const replay: StoredReplay = {
        ...selection,
        perSecond,
        status: 'RUNNING',
        total,
        queued: 0,
        skipped: 0,
        error: null,
        createdAt: now,
        finishedAt: null,
        cursor: null,
        step: null,
        lease: { owner, until: clock.now() + REPLAY_LEASE_MS },
      };
      await mirror.update(id, () => replay);
      return { count: total, job: toReplayJob(id, replay) };
    },

    find: jobOf,

    list: () =>
      [...mirror.all()]
        .reverse()
        .sort(byNewest)
        .map(({ id, value }) => toReplayJob(id, value)),

    async cancel(id) {
      const { value } = await mirror.update(id, (present) => {
        if (present === undefined) throw notFound(id);
        return cancelReplay(present, clock.now());
      });
      if (value.status === 'CANCELLED') return toReplayJob(id, value);
      throw new HooklineError('CONFLICT', 'The replay is over; there is nothing left to cancel.');
    },

    async [Symbol.asyncDispose]() {
      await runner.close();
      mirror.close();
    },
  };
}

/** @returns its pace. */
function checkReplayInput(input: ReplayInput): number {
  const { since, until, onlyFailed = false, onlyMissing = false } = input;
  if (onlyFailed && onlyMissing) {
    throw badInput(
      'onlyMissing',
      'What failed is not missing: choose onlyFailed or onlyMissing, or replay twice.',
    );
  }
  if (until !== undefined && until <= since) {
    throw badInput('until', 'The end of the time to replay must be later than its beginning.');
  }
  const { perSecond = USUAL_REPLAYS_PER_SECOND } = input;
  if (!(perSecond >= SLOWEST_PER_SECOND && perSecond <= FASTEST_PER_SECOND)) {
    const range = `${SLOWEST_PER_SECOND} to ${FASTEST_PER_SECOND}`;
    throw badInput('perSecond', `A replay queues from ${range} deliveries per second, not ${perSecond}.`);
  }
  return perSecond;
}

/** What comes after the beginning of a replay is delivered anyway, so it ends there at the latest. */
function selectEvents(input: ReplayInput, now: number): ReplaySelection {
  const { endpointId, where = {}, onlyFailed = false, onlyMissing = false } = input;
  const since = Math.max(input.since, where.since ?? input.since);
  const until = Math.min(input.until ?? Infinity, where.until ?? Infinity, now + 1);
  return { endpointId, where: { ...where, since, until }, onlyFailed, onlyMissing };
}

function requireInUse(runtime: EndpointRuntime | null, id: string): EndpointRuntime {
  if (runtime === null) {
    throw new HooklineError(
      'NOT_FOUND',
      `There is no endpoint "${id.slice(0, 60)}": list the endpoints to see their ids.`,
    );
  }
  if (runtime.endpoint.retiredAt !== null) {
    throw new HooklineError('CONFLICT', `The endpoint "${id}" is deleted; nothing is sent to it any more.`);
  }
  return runtime;
}

function byNewest(a: { value: StoredReplay }, b: { value: StoredReplay }): number {
  return b.value.createdAt - a.value.createdAt;
}

function notFound(id: string): HooklineError {
  return new HooklineError(
    'NOT_FOUND',
    `There is no replay "${id.slice(0, 60)}": list them to see their ids.`,
  );
}
