import type { Clock } from '../clock.ts';
import type { Store } from './store.ts';

export interface RetentionOptions {
  store: Pick<Store, 'prune' | 'amend' | 'reader'>;
  /** Endpoints that are gone for good: what they were owed longer ago than the retention is owed no more. */
  retiredEndpoints: () => readonly string[];
  clock: Clock;
  /** Events, deliveries and attempts are kept this long. */
  retentionMs: number;
  log: { warn(fields: Record<string, unknown>, message: string): void };
}

/** Longer than the longest schedule of a sender, so that its last retry is still known (decision C12). */
const REMEMBER_IDS_MS = 8 * 86_400_000;
const EVERY_MS = 3_600_000;
const SLICE = 500;

/**
 * Forgets what is older than the retention, in the background and in small slices, so that no commit waits long.
 * @returns a function that stops it.
 */
export function startRetention(options: RetentionOptions): () => void {
  const { store, clock, retentionMs, log } = options;
  let stopped = false;
  let cancel = (): void => {};
  const run = async (): Promise<void> => {
    const before = clock.now() - retentionMs;
    await cancelOwedToRetired(options, before);
    while (!stopped) {
      const pruned = await store.prune({ before, rememberIdsMs: REMEMBER_IDS_MS, limit: SLICE });
      if (pruned < SLICE) return;
    }
  };
  const runLater = (): void => {
    cancel = clock.wakeAt(clock.now() + EVERY_MS, () => {
      run()
        .catch((error: unknown) => log.warn({ err: error }, 'old events could not be forgotten'))
        .finally(() => {
          if (!stopped) runLater();
        });
    });
  };
  runLater();
  return () => {
    stopped = true;
    cancel();
  };
}

/** A flow that was taken out keeps what it is owed for a while, should it come back; then that must not stay for ever. */
async function cancelOwedToRetired(
  { store, retiredEndpoints }: RetentionOptions,
  before: number,
): Promise<void> {
  const endpointIds = retiredEndpoints();
  if (endpointIds.length === 0) return;
  for (;;) {
    const page = await store.reader.deliveries({
      where: { endpointIds, statuses: ['PENDING', 'RETRYING', 'FAILED', 'HELD'], until: before },
      limit: SLICE,
      order: 'oldest',
      after: null,
    });
    for (const { row } of page.rows) await store.amend({ deliveryId: row.id, action: 'cancel' });
    if (!page.hasMore) return;
  }
}
