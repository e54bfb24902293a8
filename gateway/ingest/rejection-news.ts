import type { Clock } from '../clock.ts';

/** Tells that a source's signatures are refused, once in a while and not for each request. */
export interface RejectionNews {
  note(sourceName: string, reason: string): void;
}

export interface RejectionNewsOptions {
  clock: Clock;
  tell: (type: string, data: object) => Promise<void>;
}

/** A sender with a wrong secret comes again for a week: one piece of news an hour says enough. */
const QUIET_MS = 3_600_000;

export function createRejectionNews({ clock, tell }: RejectionNewsOptions): RejectionNews {
  const bySource = new Map<string, { toldAt: number; count: number; since: number }>();
  return {
    note(sourceName, reason) {
      const now = clock.now();
      const known = bySource.get(sourceName) ?? { toldAt: -Infinity, count: 0, since: now };
      if (known.count === 0) known.since = now;
      known.count++;
      bySource.set(sourceName, known);
      if (now - known.toldAt < QUIET_MS) return;
      const { count, since } = known;
      bySource.set(sourceName, { toldAt: now, count: 0, since: now });
      const source = { name: sourceName };
      void tell('hookline.source.signature_rejected', {
        source,
        count,
        since: new Date(since).toISOString(),
        reason,
      });
    },
  };
}
