import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from './build.ts';
import { providePrograms } from './provide.ts';

/*
 * `npm test`: provides what the tests need, builds what is stale, runs them, and ends with one line that says
 * how many passed and failed. `--long` adds the tests of `test/long/`; everything else goes to vitest as it is.
 */

const ROOT = join(import.meta.dirname, '..');

/** The part of vitest's report that is read. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  success: boolean;
}

process.exitCode = await runTests(process.argv.slice(2));

async function runTests(args: readonly string[]): Promise<number> {
  try {
    providePrograms();
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
  await build({ onlyIfStale: true });
  const folder = mkdtempSync(join(tmpdir(), 'hookline-test-'));
  try {
    const reportPath = join(folder, 'report.json');
    const exitCode = await runVitest(args, reportPath);
    return printSummary(readReport(reportPath), exitCode);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runVitest(args: readonly string[], reportPath: string): Promise<number> {
  const config = args.includes('--long') ? ['--config', 'scripts/vitest-long.config.ts'] : [];
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      ...config,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportPath}`,
      ...args.filter((arg) => arg !== '--long'),
    ],
    { cwd: ROOT, stdio: 'inherit' },
  );
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

function readReport(path: string): Report | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    return null;
  }
}

/** A test that was not run is not a test that passed. */
function printSummary(report: Report | null, exitCode: number): number {
  if (!report) {
    console.error('The tests did not run to their end.');
    return exitCode || 1;
  }
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0) console.error(`${skipped} tests were skipped.`);
  console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed`);
  return exitCode || (report.success ? 0 : 1);
}
