import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../gateway/clock.ts';
import { createReplayService } from '../../../gateway/delivery/replays.ts';
import { DEFAULT_SCHEDULE } from '../../../gateway/delivery/retry-policy.ts';
import { createSubscriptions } from '../../../gateway/delivery/subscriptions.ts';
import type { ReplayInput, ReplayJob, ReplayService } from '../../../gateway/services.ts';
import type { RecordStore } from '../../../gateway/store/records.ts';
import type { Store } from '../../../gateway/store/store.ts';
import type { DeliveryRow, ShownStatus } from '../../../gateway/store/store-reader.ts';
import type { DeliveryHarness } from '../../support/delivery-harness.ts';

/** One process that runs replays over the harness's store. */
export interface ReplayProcess extends AsyncDisposable {
  replays: ReplayService;
  /** When it wakes by itself, once it sleeps. */
  untilAsleep(): Promise<number>;
  /** Starts one, gives it all the time it wants, and returns it as it ended. */
  run(input: Partial<ReplayInput> & { endpointId: string }): Promise<ReplayJob>;
  /** Gives time until one is over. */
  runToEnd(id: string): Promise<ReplayJob>;
}

/** Starts one; it goes on with what is running in the store. */
export async function startProcess(
  delivery: DeliveryHarness,
  store: Store & RecordStore = delivery.store,
): Promise<ReplayProcess> {
  const { clock, endpoints } = delivery;
  const sleeps = new Set<number>();
  const changes = new EventTarget();
  const watched: Clock = {
    now: () => clock.now(),
    wakeAt(at, wake) {
      sleeps.add(at);
      changes.dispatchEvent(new Event('change'));
      const cancel = clock.wakeAt(at, () => {
        sleeps.delete(at);
        wake();
      });
      return () => {
        sleeps.delete(at);
        cancel();
      };
    },
  };
  const noteEnd = (fields: Record<string, unknown>, message: string): void => {
    delivery.log.push({ fields, message });
    changes.dispatchEvent(new Event('change'));
  };
  const replays = await createReplayService({
    store,
    endpoints,
    subscriptions: createSubscriptions({
      endpoints,
      schedule: DEFAULT_SCHEDULE,
      evaluate: (source, input) => delivery.evaluate(source, input),
    }),
    clock: watched,
    randomText: () => randomBytes(12).toString('hex'),
    log: { info: noteEnd, error: noteEnd },
  });
  const untilChange = (): Promise<void> =>
    new Promise((resolve) => changes.addEventListener('change', () => resolve(), { once: true }));
  const process: ReplayProcess = {
    replays,
    async untilAsleep() {
      while (sleeps.size === 0) await untilChange();
      return Math.min(...sleeps);
    },
    async run(input) {
      const { job } = await replays.start({ since: 0, ...input });
      return process.runToEnd(job!.id);
    },
    async runToEnd(id) {
      for (;;) {
        const job = replays.find(id)!;
        if (job.status !== 'RUNNING') return job;
        if (sleeps.size === 0) await untilChange();
        if (sleeps.size > 0) clock.set(Math.max(clock.now(), ...sleeps));
      }
    },
    [Symbol.asyncDispose]: () => replays[Symbol.asyncDispose](),
  };
  return process;
}

let published = 0;

/** Publishes some events, each a second after the one before. @returns their ids */
export async function publish(
  { events, clock }: DeliveryHarness,
  count: number,
  type = 'work_order.created',
): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    clock.advance(1000);
    published += 1;
    ids.push((await events.publish({ id: `evt-${published}`, type, data: { n } })).id);
  }
  return ids;
}

/** Resolves when the delivery of each of these events stands there. */
export async function untilAll(
  delivery: DeliveryHarness,
  eventIds: readonly string[],
  status: ShownStatus,
  generation = 0,
): Promise<void> {
  for (const id of eventIds) {
    await delivery.waitForDelivery(
      (row) => row.eventId === id && row.status === status && row.generation === generation,
    );
  }
}

/** All deliveries to an endpoint, oldest first. */
export async function rowsOf(delivery: DeliveryHarness, endpointId: string): Promise<DeliveryRow[]> {
  const page = await delivery.store.reader.deliveries({
    where: { endpointIds: [endpointId] },
    limit: 500,
    order: 'oldest',
    after: null,
  });
  return page.rows.map(({ row }) => row);
}

/** The store, but for what comes of debts. */
export function withOwe(
  store: Store & RecordStore,
  replacement: (owe: () => Promise<number>) => Promise<number>,
): Store & RecordStore {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (name !== 'owe') return member.bind(target) as unknown;
      return (...args: Parameters<Store['owe']>) => replacement(() => target.owe(...args));
    },
  });
}

/** A store whose process dies around the first debts: from then on no call comes back. */
export function mortalStore(
  store: Store & RecordStore,
  dies: 'before it queues' | 'after it queued',
): { store: Store & RecordStore; death: Promise<void> } {
  const never = new Promise<never>(() => {});
  const death = Promise.withResolvers<void>();
  let isDead = false;
  const mortal = new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        if (isDead) return never;
        if (name !== 'owe') return Reflect.apply(member, target, args);
        isDead = true;
        const queued = dies === 'before it queues' ? null : Reflect.apply(member, target, args);
        void Promise.resolve(queued).then(() => death.resolve());
        return never;
      };
    },
  });
  return { store: mortal, death: death.promise };
}
