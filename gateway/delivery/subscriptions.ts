import { eventData, formatTimestamp, type Event } from '../events/event.ts';
import type { NewDelivery } from '../store/store.ts';
import type { EndpointRuntime } from './endpoint-runtime.ts';
import { oweTo } from './fan-out.ts';

/** The event as users' expressions see it. */
export interface ExpressionInput {
  id: string;
  type: string;
  timestamp: string;
  source: string | null;
  machine: Event['machine'];
  test: boolean;
  data: unknown;
}

export type EvaluateResult = { ok: true; value: unknown } | { ok: false; code: string; message: string };

/** Evaluates a user's expression; at once where it is plain, else when the worker has. Never rejects. */
export type Evaluate = (source: string, input: ExpressionInput) => EvaluateResult | Promise<EvaluateResult>;

export interface Subscriptions {
  /**
   * Who is owed this event; at once unless an expression needs the worker.
   * @param except never this endpoint
   */
  owe(event: Event, except?: string): NewDelivery[] | Promise<NewDelivery[]>;
  /** What one endpoint, whose types and machines match, is owed; null where its filter says no. */
  oweOne(
    event: Event,
    runtime: EndpointRuntime,
    now: number,
  ): NewDelivery | null | Promise<NewDelivery | null>;
}

export interface SubscriptionsOptions {
  endpoints: { active(): readonly EndpointRuntime[] };
  /** The installation's schedule, ms. */
  schedule: readonly number[];
  evaluate: Evaluate;
}

/** Longer keys are cut: they are only compared. */
const LONGEST_KEY = 256;

export function createSubscriptions({ endpoints, schedule, evaluate }: SubscriptionsOptions): Subscriptions {
  const oweOne: Subscriptions['oweOne'] = (event, runtime, now) => {
    const debt = oweTo(runtime, now, schedule, null);
    if (runtime.filter === null && runtime.orderBy === null) return debt;
    return decide(debt, runtime, expressionInput(event), evaluate);
  };
  return {
    oweOne,
    owe(event, except) {
      const debts: NewDelivery[] = [];
      let waiting: Promise<NewDelivery | null>[] | null = null;
      for (const runtime of endpoints.active()) {
        if (!runtime.matches(event) || runtime.endpoint.id === except) continue;
        const debt = oweOne(event, runtime, event.receivedAt);
        if (debt instanceof Promise) (waiting ??= []).push(debt);
        else if (debt) debts.push(debt);
      }
      if (!waiting) return debts;
      return Promise.all(waiting).then((decided) => [...debts, ...decided.filter((debt) => debt !== null)]);
    },
  };
}

function decide(
  debt: NewDelivery,
  runtime: EndpointRuntime,
  input: ExpressionInput,
  evaluate: Evaluate,
): NewDelivery | null | Promise<NewDelivery | null> {
  const filtered = runtime.filter === null ? PASSED : evaluate(runtime.filter, input);
  const ordered = runtime.orderBy === null ? UNORDERED : evaluate(runtime.orderBy, input);
  if (filtered instanceof Promise || ordered instanceof Promise) {
    return Promise.all([filtered, ordered]).then(([wanted, key]) => apply(debt, runtime, wanted, key));
  }
  return apply(debt, runtime, filtered, ordered);
}

const PASSED: EvaluateResult = { ok: true, value: true };
const UNORDERED: EvaluateResult = { ok: true, value: null };

/** An expression that raises an error never loses an event silently: the delivery is made and HELD. */
function apply(
  debt: NewDelivery,
  runtime: EndpointRuntime,
  wanted: EvaluateResult,
  key: EvaluateResult,
): NewDelivery | null {
  if (!wanted.ok) return { ...debt, status: 'HELD', reason: 'filter_failed' };
  if (wanted.value !== true) return null;
  if (!key.ok) return { ...debt, status: 'HELD', reason: 'order_failed' };
  const orderKey = toOrderKey(key.value);
  return orderKey === null ? debt : { ...debt, orderKey, supersedes: runtime.newestOnly };
}

/** Events without a value for the key are not ordered among each other. */
function toOrderKey(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, LONGEST_KEY);
}

export function expressionInput(event: Event): ExpressionInput {
  const { id, type, occurredAt, source, machine, test } = event;
  return { id, type, timestamp: formatTimestamp(occurredAt), source, machine, test, data: eventData(event) };
}
