import type { Event } from '../../events/event.ts';
import { parseDeliveryId } from '../delivery-id.ts';
import type { NewDelivery, NewEvent, Settlement } from '../store.ts';
import { FLAG_DIRECT, FLAG_TEST } from './delivery-rows.ts';
import { writeEventText } from './event-text.ts';

/** An event that is to be appended, under which id, and what it has been through. */
export interface PendingAppend {
  append: NewEvent;
  /** As it is to be stored: under another id where the first was taken. */
  event: Event;
  stage: 'first' | 'own' | 'later';
  /** An event of this id, received within the window, counts as this one. */
  guard: string | null;
}

export interface PendingSettlement {
  settlement: Settlement;
  causes: PendingAppend[];
}

/** Who holds the id that was asked for. `cause`: number, from 1, of the event in its settlement. */
export interface IdHolder {
  id: string;
  at: number;
  source: string | null;
  cause?: number;
}

/** What a plain debt does not need is left off. */
type DebtSpec = [
  endpointId: string,
  pool: string,
  dueAt: number,
  ...rest: [] | [string | null, 0 | 1, string, string | null, number | null],
];

type EventSpec = [
  text: number,
  id: string,
  type: string,
  source: string | null,
  receivedAt: number,
  flags: number,
  deliveries: DebtSpec[],
  ...guard: [] | [guard: string, windowMs: number],
];

/** Gathers what goes out with one command: specs that name long texts by number, and the texts. */
export class CommitRequest {
  readonly texts: string[] = [];
  readonly appends: EventSpec[] = [];
  readonly settlements: unknown[] = [];
  /** Pools in which something becomes due. */
  readonly pools = new Set<string>();
  readonly #byText = new Map<number, PendingAppend>();

  addAppend(pending: PendingAppend): void {
    this.appends.push(this.#eventSpec(pending));
  }

  addSettlement({ settlement, causes }: PendingSettlement): void {
    const { deliveryId, token, attempt, status, dueAt, step, reason, sign = null } = settlement;
    const { freesKey = dueAt === null } = settlement;
    this.settlements.push([
      parseDeliveryId(deliveryId) ?? 0,
      token,
      status,
      dueAt,
      step,
      reason,
      freesKey ? 1 : 0,
      sign?.kind ?? null,
      sign?.restMs ?? null,
      attempt === null ? null : this.addText(JSON.stringify(attempt)),
      ...(causes.length === 0 ? [] : [causes.map((cause) => this.#eventSpec(cause))]),
    ]);
  }

  addDebt(delivery: NewDelivery): DebtSpec {
    const { endpointId, pool, dueAt, orderKey, supersedes = false, status, reason, context } = delivery;
    this.pools.add(pool);
    const isPlain = orderKey === null && status === 'PENDING' && reason === null && context === null;
    if (isPlain) return [endpointId, pool, dueAt];
    const text = context === null ? null : this.addText(context);
    return [endpointId, pool, dueAt, orderKey, supersedes ? 1 : 0, status, reason, text];
  }

  /** The event that came with this text. */
  appendOf(text: number): PendingAppend {
    return this.#byText.get(text)!;
  }

  addText(text: string): number {
    return this.texts.push(text);
  }

  #eventSpec(pending: PendingAppend): EventSpec {
    const { event, append, guard } = pending;
    const text = this.addText(writeEventText(event));
    this.#byText.set(text, pending);
    const { duplicateWindowMs } = append;
    return [
      text,
      event.id,
      event.type,
      event.source,
      event.receivedAt,
      (event.test ? FLAG_TEST : 0) | (append.direct ? FLAG_DIRECT : 0),
      append.deliveries.map((delivery) => this.addDebt(delivery)),
      ...(guard !== null && duplicateWindowMs !== undefined
        ? ([guard, duplicateWindowMs] as const)
        : ([] as const)),
    ];
  }
}
