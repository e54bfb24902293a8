import type { Clock } from '../clock.ts';
import { HooklineError } from '../errors.ts';
import type { RecordChange, RecordNotice, RecordStore } from './records.ts';

/** One document as it is known here. */
export interface MirroredRecord<Value> {
  readonly id: string;
  readonly version: number;
  readonly value: Value;
}

/**
 * A collection of the record store kept in memory: read without waiting, written with compare-and-set, and brought
 * up to date with what other processes write.
 */
export interface RecordMirror<Value> extends Disposable {
  get(id: string): MirroredRecord<Value> | undefined;
  /** Oldest first, as far as this process saw them come. */
  all(): Iterable<MirroredRecord<Value>>;
  /**
   * Writes all of the changes or none, and shows them here before it resolves.
   * @returns false where a version was not as expected; the present one is known here then.
   */
  commit(changes: readonly Omit<RecordChange, 'collection'>[]): Promise<boolean>;
  /**
   * Reads, changes and writes one document, again where somebody else was faster.
   * @param change makes the new value of the present one; returning the very same object means no change, and
   *   nothing is written. It may be called several times, and what it throws ends the update.
   * @throws CONFLICT where others keep being faster
   */
  update(id: string, change: (value: Value | undefined) => Value): Promise<MirroredRecord<Value>>;
  /** Stops following. */
  close(): void;
}

export interface RecordMirrorOptions<Value> {
  records: RecordStore;
  collection: string;
  clock: Clock;
  /** Called after each change, whoever made it; undefined: it is gone. Not called for what was there at the start. */
  onChange?: (id: string, record: MirroredRecord<Value> | undefined) => void;
}

/** Resolves when everything that is stored has been read. */
export async function createRecordMirror<Value>(
  options: RecordMirrorOptions<Value>,
): Promise<RecordMirror<Value>> {
  const { records, collection, clock } = options;
  const known = new Map<string, MirroredRecord<Value>>();
  const closing = new AbortController();
  let onChange: RecordMirrorOptions<Value>['onChange'];

  const apply = (id: string, version: number, value: Value | null): void => {
    const before = known.get(id);
    if (value === null) {
      if (known.delete(id)) onChange?.(id, undefined);
    } else if (before === undefined || before.version < version) {
      // Own writes are applied as soon as they are durable, so their notices come second and change nothing.
      const record = { id, version, value };
      known.set(id, record);
      onChange?.(id, record);
    }
  };

  /** Watches first and reads then, so that nothing falls between the two. */
  const load = async (): Promise<() => Promise<void>> => {
    const changes = records.watch([collection], closing.signal)[Symbol.asyncIterator]();
    let next = changes.next();
    // Whoever awaits it later learns of a failure; until then it must not count as unhandled.
    next.catch(() => undefined);
    const stored = await records.list<Value>(collection).catch(async (error: unknown) => {
      await changes.return?.();
      throw error;
    });
    const ids = new Set(stored.map(({ id }) => id));
    for (const id of known.keys()) if (!ids.has(id)) apply(id, 0, null);
    for (const { id, version, value } of stored) apply(id, version, value);
    return async () => {
      for (let step = await next; step.done !== true; step = await next) {
        applyNotices(step.value);
        next = changes.next();
      }
    };
  };

  const applyNotices = (notices: readonly RecordNotice[]): void => {
    for (const { id, version, value } of notices) apply(id, version, value as Value | null);
  };

  const keepFollowing = async (follow: () => Promise<void>): Promise<void> => {
    let current: (() => Promise<void>) | undefined = follow;
    while (!closing.signal.aborted) {
      try {
        current ??= await load();
        await current();
      } catch {
        // A store that cannot be reached tells whoever writes; following just begins again, with all that was missed.
      }
      current = undefined;
      if (!closing.signal.aborted) await pause(clock, RELOAD_AFTER_MS, closing.signal);
    }
  };

  void keepFollowing(await load());
  onChange = options.onChange;

  const mirror: RecordMirror<Value> = {
    get: (id) => known.get(id),
    all: () => known.values(),
    async commit(changes) {
      if (changes.length === 0) return true;
      const result = await records.commit(changes.map((change) => ({ collection, ...change })));
      if (result.kind === 'conflict') {
        const present = await records.get<Value>(collection, result.id);
        apply(result.id, present?.version ?? 0, present?.value ?? null);
        return false;
      }
      changes.forEach(({ id, value }, index) =>
        apply(id, result.versions[index] ?? 0, value as Value | null),
      );
      return true;
    },
    async update(id, change) {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        const before = known.get(id);
        const value = change(before?.value);
        if (before !== undefined && before.value === value) return before;
        if (await mirror.commit([{ id, value, ifVersion: before?.version ?? 0 }])) {
          const after = known.get(id);
          if (after !== undefined) return after;
        }
      }
      throw new HooklineError(
        'CONFLICT',
        `"${id}" is being changed by others all the time: read it and try again.`,
      );
    },
    close() {
      closing.abort();
    },
    [Symbol.dispose]: () => closing.abort(),
  };
  return mirror;
}

const MAX_ATTEMPTS = 20;
const RELOAD_AFTER_MS = 1000;

function pause(clock: Clock, durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.wakeAt(clock.now() + durationMs, resolve);
    signal.addEventListener(
      'abort',
      () => {
        cancel();
        resolve();
      },
      { once: true },
    );
  });
}
