import type { Clock } from '../clock.ts';
import type { Store } from '../store/store.ts';
import type { OperationalEvents } from './operational-events.ts';

export interface WatchHealthOptions {
  store: Pick<Store, 'reader'>;
  news: OperationalEvents;
  clock: Clock;
  log: { warn(fields: Record<string, unknown>, message: string): void };
}

/** A delivery that is overdue for longer than this is a reason to look. */
const OLD_BACKLOG_MS = 5 * 60_000;
const EVERY_MS = 30_000;

/**
 * Looks now and then how the installation is doing and tells once when it stops doing well:
 * `hookline.backlog.old`, and `hookline.store.unavailable` when the store is back.
 * @returns a function that stops it.
 */
export function watchHealth({ store, news, clock, log }: WatchHealthOptions): () => void {
  let backlogIsOld = false;
  let unavailable: { since: number; reason: string } | null = null;
  let stopped = false;
  let cancel = (): void => {};

  const look = async (): Promise<void> => {
    const now = clock.now();
    try {
      const { open, oldestDueAt } = await store.reader.backlog();
      if (unavailable) {
        const { since, reason } = unavailable;
        unavailable = null;
        const times = { since: new Date(since).toISOString(), until: new Date(now).toISOString() };
        await news.tell('hookline.store.unavailable', { ...times, reason });
      }
      const isOld = oldestDueAt !== null && now - oldestDueAt > OLD_BACKLOG_MS;
      if (isOld && !backlogIsOld) {
        const oldest = new Date(oldestDueAt).toISOString();
        log.warn({ open, oldestDueAt: oldest }, 'backlog is old');
        const oldestDueSeconds = Math.round((now - oldestDueAt) / 1000);
        await news.tell('hookline.backlog.old', { backlog: open, oldestDueAt: oldest, oldestDueSeconds });
      }
      backlogIsOld = isOld;
    } catch (error) {
      unavailable ??= { since: now, reason: error instanceof Error ? error.message : String(error) };
      log.warn({ err: error }, 'the store does not answer');
    }
  };
  const lookLater = (): void => {
    cancel = clock.wakeAt(clock.now() + EVERY_MS, () => {
      void look().finally(() => {
        if (!stopped) lookLater();
      });
    });
  };
  lookLater();
  return () => {
    stopped = true;
    cancel();
  };
}
