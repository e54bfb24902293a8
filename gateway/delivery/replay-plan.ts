import { normaliseType } from '../events/normalise-type.ts';
import type { Event } from '../events/event.ts';
import type { Cursor } from '../store/journal.ts';
import type { DeliveryRow, EventWhere, ShownStatus, StoreReader } from '../store/store-reader.ts';
import type { Debt, NewDelivery } from '../store/store.ts';
import type { EndpointRuntime } from './endpoint-runtime.ts';
import { isOwnNews } from './replay-own-news.ts';
import type { PlannedDebt, PlannedStep, ReplaySelection } from './replay-record.ts';
import type { Subscriptions } from './subscriptions.ts';

/** A step, with the debts that it plans in full. */
export interface ReplayPlan extends PlannedStep {
  owes: Debt[];
}

export interface ReplayPlannerOptions {
  reader: StoreReader;
  subscriptions: Pick<Subscriptions, 'oweOne'>;
  selection: ReplaySelection;
  /** Only events beyond this one; null for all. */
  after: Cursor | null;
}

/** Walks through the events of a replay, oldest first, and says what is to be queued for them. */
export interface ReplayPlanner {
  /**
   * What comes next. Looks at a bounded number of events, so it may plan less than asked for, or nothing.
   * @param quota deliveries at most
   * @param now Unix ms, from which the debts are due
   */
  next(runtime: EndpointRuntime, quota: number, now: number): Promise<ReplayPlan>;
}

/** Events per read: with their bodies, so not too many. */
const PAGE = 200;
/** A step looks at this many events at most, so that it ends soon where hardly any is wanted. */
const EVENTS_PER_STEP = 2000;
/** Deliveries are looked up for this many events at least, or a slow replay would ask for them one by one. */
const SMALLEST_BATCH = 50;

/** It goes on by itself: to be left alone. */
const RUNNING: ReadonlySet<ShownStatus> = new Set(['PENDING', 'RETRYING', 'SENDING', 'HELD']);
/** The event has reached the endpoint, or a newer one did in its place. */
const WELL: ReadonlySet<ShownStatus> = new Set(['SUCCEEDED', 'SUPERSEDED']);

interface ReadEvent {
  cursor: Cursor;
  row: Event;
}

/** What is to become of an event: nothing, nothing because a delivery of it is running, or a debt. */
type Verdict = 'leave' | 'skip' | { planned: PlannedDebt; delivery: NewDelivery };

export function createReplayPlanner(options: ReplayPlannerOptions): ReplayPlanner {
  const { reader, subscriptions, selection } = options;
  let cursor = options.after;
  let readTo = options.after;
  let hasMore = true;
  let ahead: ReadEvent[] = [];

  const readOn = async (runtime: EndpointRuntime): Promise<void> => {
    const where = narrowWhere(selection.where, runtime);
    const page = await reader.events({ where, limit: PAGE, order: 'oldest', after: readTo });
    ahead = page.rows;
    hasMore = page.hasMore;
    readTo = ahead.at(-1)?.cursor ?? readTo;
  };

  return {
    async next(runtime, quota, now) {
      const plan: ReplayPlan = { debts: [], owes: [], skipped: 0, cursor, isLast: false };
      let looked = 0;
      while (looked < EVENTS_PER_STEP && plan.debts.length < quota) {
        if (ahead.length === 0 && hasMore) await readOn(runtime);
        if (ahead.length === 0) break;
        const batch = ahead.slice(0, Math.max(quota - plan.debts.length, SMALLEST_BATCH));
        const events = batch.map(({ row }) => row);
        const verdicts = await judgeEvents({ reader, subscriptions, selection }, events, runtime, now);
        let taken = 0;
        for (const verdict of verdicts) {
          if (plan.debts.length >= quota) break;
          addVerdict(plan, verdict);
          taken += 1;
        }
        cursor = batch[taken - 1]!.cursor;
        ahead = ahead.slice(taken);
        looked += taken;
      }
      return { ...plan, cursor, isLast: ahead.length === 0 && !hasMore };
    },
  };
}

type JudgeOptions = Pick<ReplayPlannerOptions, 'reader' | 'subscriptions' | 'selection'>;

/**
 * The debts of a step that somebody else began, without those that came about.
 * @returns how many of the planned ones came about, and the others as they are to be made now
 */
export async function planRest(
  options: JudgeOptions,
  step: PlannedStep,
  runtime: EndpointRuntime,
  now: number,
): Promise<{ doneCount: number; owes: Debt[] }> {
  const { reader, selection } = options;
  const ids = step.debts.map(({ eventId }) => eventId);
  const rows = await findDeliveries(reader, selection.endpointId, ids);
  const open = step.debts.filter(({ eventId, generation }) => {
    const row = rows.get(eventId);
    return row === undefined || (generation !== null && row.generation <= generation);
  });
  const events = await reader.eventsById(open.map(({ eventId }) => eventId));
  const kept = events.filter((event) => event !== null);
  const plan: Pick<ReplayPlan, 'debts' | 'owes' | 'skipped'> = { debts: [], owes: [], skipped: 0 };
  for (const verdict of await judgeEvents(options, kept, runtime, now)) addVerdict(plan, verdict);
  return { doneCount: step.debts.length - open.length, owes: plan.owes };
}

function addVerdict(plan: Pick<ReplayPlan, 'debts' | 'owes' | 'skipped'>, verdict: Verdict): void {
  if (verdict === 'leave') return;
  if (verdict === 'skip') {
    plan.skipped += 1;
    return;
  }
  const { planned, delivery } = verdict;
  plan.debts.push(planned);
  plan.owes.push({ eventId: planned.eventId, deliveries: [delivery] });
}

/** One verdict per event, in order. */
async function judgeEvents(
  { reader, subscriptions, selection }: JudgeOptions,
  events: readonly Event[],
  runtime: EndpointRuntime,
  now: number,
): Promise<Verdict[]> {
  const { id: endpointId } = runtime.endpoint;
  const matching = events.filter((event) => runtime.matches(event) && !isOwnNews(event, endpointId));
  const ids = matching.map(({ id }) => id);
  const [rows, owed] = await Promise.all([
    findDeliveries(reader, endpointId, ids),
    Promise.all(matching.map(async (event) => subscriptions.oweOne(event, runtime, now))),
  ]);
  const debts = new Map(matching.map(({ id }, index) => [id, owed[index] ?? null]));
  return events.map(({ id }) => judge(id, debts.get(id) ?? null, rows.get(id), selection));
}

function judge(
  eventId: string,
  debt: NewDelivery | null,
  row: DeliveryRow | undefined,
  { onlyFailed, onlyMissing }: ReplaySelection,
): Verdict {
  if (debt === null) return 'leave';
  if (row === undefined) {
    if (onlyFailed) return 'leave';
    // What is replayed is older than what waits: it must not take the place of that.
    return { planned: { eventId, generation: null }, delivery: { ...debt, supersedes: false } };
  }
  if (onlyMissing) return 'leave';
  if (RUNNING.has(row.status)) return 'skip';
  if (onlyFailed && WELL.has(row.status)) return 'leave';
  // An expression raised an error: what is over can begin anew, but it cannot be held.
  if (debt.status === 'HELD') return 'skip';
  return { planned: { eventId, generation: row.generation }, delivery: debt };
}

/** The delivery of each event to this endpoint. */
async function findDeliveries(
  reader: StoreReader,
  endpointId: string,
  eventIds: readonly string[],
): Promise<Map<string, DeliveryRow>> {
  if (eventIds.length === 0) return new Map();
  const { rows } = await reader.deliveries({
    where: { eventIds, endpointIds: [endpointId] },
    limit: eventIds.length,
    order: 'oldest',
    after: null,
  });
  return new Map(rows.map(({ row }) => [row.eventId, row]));
}

/** What the endpoint does not subscribe to need not be read. */
function narrowWhere(where: EventWhere, { endpoint: { events } }: EndpointRuntime): EventWhere {
  if (where.types !== undefined || events.includes('*')) return where;
  return { ...where, types: events.flatMap((type) => [...new Set([type, normaliseType(type)])]) };
}
