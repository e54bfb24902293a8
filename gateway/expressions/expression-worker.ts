import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { createPulse, type ProcessLimits, type Pulse, watchProcess } from './process-watch.ts';

/**
 * What runs in the worker process, started by `expression-process.ts` as
 * `expression-worker <timeoutMs> <residentMb>`: one thread evaluates, the other watches.
 */
if (isMainThread) {
  const [timeoutMs, residentMb] = process.argv.slice(2).map(Number) as [number, number];
  const pulse = createPulse();
  const limits: ProcessLimits = {
    cpuMs: 2 * timeoutMs,
    residentBytes: residentMb * 1024 * 1024,
    parentPid: process.ppid,
  };
  // Whoever stops the gateway from a terminal stops its whole group: it still needs us while it drains.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);
  process.stdout.on('error', () => process.exit());
  const watch = new Worker(new URL(import.meta.url), {
    workerData: { pulse, limits },
    execArgv: [],
    env: {},
  });
  watch.on('exit', () => process.exit(1));
  const { serveExpressions } = await import('./serve-expressions.ts');
  await serveExpressions(pulse, timeoutMs);
  process.exit();
} else {
  const { pulse, limits } = workerData as { pulse: Pulse; limits: ProcessLimits };
  watchProcess(pulse, limits);
}
