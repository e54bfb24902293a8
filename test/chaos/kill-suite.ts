import { randomInt } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { MOST_REPEATS_PER_KILL, runKills } from './kill.ts';
import type { KillReport } from './kill.ts';

/**
 * The promises that have to hold however often and whenever the gateway is killed. The name of the suite has the
 * seed; `HOOKLINE_CHAOS_SEED` repeats it.
 */
export function describeKills({ kills, limitMs }: { kills: number; limitMs: number }): void {
  const seed = Number(process.env['HOOKLINE_CHAOS_SEED'] ?? randomInt(2 ** 31));

  describe(`SIGKILL at ${kills} random moments under load (HOOKLINE_CHAOS_SEED=${seed})`, () => {
    let report: KillReport;

    beforeAll(async () => {
      report = await runKills({ kills, seed, limitMs });
      const { sent, answered, arrivals, duplicates, repeats } = report.balance;
      console.log(
        `${kills} kills in ${report.seconds.toFixed(1)} s (HOOKLINE_CHAOS_SEED=${seed}): ` +
          `${answered} of ${sent} events answered 200, ${arrivals} arrivals, ${duplicates} of them duplicates, ` +
          `${repeats} of something that was taken before.`,
      );
    }, limitMs + 30_000);

    it('delivers every event that was answered 200 to every endpoint it is owed to', () => {
      expect(report.balance.answered).toBeGreaterThan(kills);
      expect(report.balance.missing).toEqual([]);
    });

    it('delivers only what was sent, each copy under its own id, with the same body and right signatures', () => {
      expect(report.balance.faults).toEqual([]);
    });

    it('repeats what was taken only where a kill came before that was known', () => {
      expect(report.balance.repeats).toBeLessThanOrEqual(kills * MOST_REPEATS_PER_KILL);
    });

    it('shows one delivery for each event and endpoint, and it has succeeded', () => {
      const counts = new Map<string, number>();
      for (const { eventId, endpointUrl } of report.deliveries) {
        const key = `${eventId} to ${endpointUrl}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      expect(report.deliveries.length).toBeGreaterThanOrEqual(report.balance.answered);
      expect([...counts].filter(([, count]) => count !== 1)).toEqual([]);
      expect(report.deliveries.filter(({ status }) => status !== 'SUCCEEDED')).toEqual([]);
    });

    it('leaves a sound database with nothing open, and ends when it is asked to', () => {
      expect(report.database).toEqual({ integrity: 'ok', open: 0 });
      expect(report.lastExit).toEqual({ code: 0, signal: null });
    });
  });
}
