import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createExpressionPool, type ExpressionPool } from '../../gateway/expressions/expression-pool.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { findWorkers, readStatus } from './support/expression-workers.ts';
import { HANGS_IN_A_PATTERN } from './support/hostile-expressions.ts';

const EVENT = { data: { tags: ['scrap'] } };
const IS_SCRAP = '"scrap" in data.tags';

describe('a pool whose process fares badly', () => {
  let clock: ManualClock;
  let pool: ExpressionPool;

  beforeEach(() => {
    clock = new ManualClock();
    pool = createExpressionPool({ clock });
  });

  afterEach(() => pool.close());

  test('asks a new one when it is ended from outside', async () => {
    const pid = await startWorker();
    process.kill(pid, 'SIGSTOP');
    const asked = Array.from({ length: 20 }, () => pool.evaluate(IS_SCRAP, EVENT));
    await nextTurn();
    process.kill(pid, 'SIGKILL');
    expect(await Promise.all(asked)).toEqual(asked.map(() => ({ ok: true, value: true })));
    expect(findWorkers()).not.toContain(pid);
  });

  test('asks a new one when it says nothing for ten seconds', async () => {
    const pid = await startWorker();
    process.kill(pid, 'SIGSTOP');
    const asked = pool.evaluate(IS_SCRAP, EVENT);
    await nextTurn();
    clock.advance(10_000);
    expect(await asked).toEqual({ ok: true, value: true });
    expect(readStatus(pid)).toBeNull();
  });

  test('asks a new one when the old one ended while there was nothing to do', async () => {
    const pid = await startWorker();
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => readStatus(pid)).toBeNull();
    expect(await pool.evaluate(IS_SCRAP, EVENT)).toEqual({ ok: true, value: true });
  });

  test('says so where none can be started, and tries again with the next', async () => {
    const { execPath } = process;
    process.execPath = '/nonexistent/node';
    try {
      const asked = [pool.evaluate(IS_SCRAP, EVENT), pool.evaluate('$uppercase("a")', EVENT)];
      for (const result of await Promise.allSettled(asked)) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'INTERNAL' } });
      }
    } finally {
      process.execPath = execPath;
    }
    expect(await pool.evaluate(IS_SCRAP, EVENT)).toEqual({ ok: true, value: true });
  });

  test('leaves it alone when a terminal interrupts the whole group: what is open is answered', async () => {
    const pid = await startWorker();
    const asked = Array.from({ length: 200 }, () => pool.evaluate(IS_SCRAP, EVENT));
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGTERM');
    await Promise.all(asked);
    expect(findWorkers()).toEqual([pid]);
  });

  test('refuses more than ten thousand that wait', async () => {
    const asked = Array.from({ length: 10_001 }, () => pool.evaluate(IS_SCRAP, EVENT));
    const results = await Promise.allSettled(asked);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10_000);
    expect(results.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'RATE_LIMITED' } });
  });

  async function startWorker(): Promise<number> {
    await pool.evaluate(IS_SCRAP, EVENT);
    const [pid] = findWorkers();
    return pid!;
  }
});

describe('closing a pool', () => {
  test('rejects what is open, ends the process, and may be done twice', async () => {
    const pool = createExpressionPool({ clock: new ManualClock() });
    await pool.evaluate(IS_SCRAP, EVENT);
    const open = [pool.evaluate(HANGS_IN_A_PATTERN, EVENT), pool.evaluate(IS_SCRAP, EVENT)];
    const outcomes = Promise.allSettled(open);
    await nextTurn();
    await Promise.all([pool.close(), pool.close()]);
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'CONFLICT' } });
    }
    expect(findWorkers()).toEqual([]);
    await expect(pool.evaluate(IS_SCRAP, EVENT)).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});

describe('the owner of a pool', () => {
  test('ends by itself though the pool was never closed, and the process with it', async () => {
    const { owner, lines } = startOwner('$uppercase("scrap")', 10_000);
    await lines.next();
    const said = JSON.parse((await lines.next()).value!) as { result: unknown; workers: number[] };
    expect(said).toEqual({ result: { ok: true, value: 'SCRAP' }, workers: [expect.any(Number)] });
    await once(owner, 'exit');
    await expect.poll(() => readStatus(said.workers[0]!)).toBeNull();
  });

  test('is not outlived by an expression that hangs when it is killed', async () => {
    const { owner, lines } = startOwner(HANGS_IN_A_PATTERN, 600_000);
    await lines.next();
    await expect.poll(() => findWorkers(owner.pid)).toHaveLength(1);
    const [worker] = findWorkers(owner.pid);
    // Longer than it takes to start: by then it is inside the pattern and hears nothing.
    await expect.poll(() => readStatus(worker!)?.cpuMs, { timeout: 10_000 }).toBeGreaterThan(1_000);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    await expect.poll(() => readStatus(worker!), { timeout: 10_000 }).toBeNull();
  });

  function startOwner(
    source: string,
    timeoutMs: number,
  ): { owner: ChildProcess; lines: AsyncIterator<string, undefined> } {
    const file = fileURLToPath(new URL('./support/pool-owner.ts', import.meta.url));
    const owner = spawn(process.execPath, [file, source, String(timeoutMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void owner.kill('SIGKILL'));
    return { owner, lines: createInterface({ input: owner.stdout })[Symbol.asyncIterator]() };
  }
});
