import { readdirSync, readFileSync } from 'node:fs';

/** Ids of the processes that evaluate expressions for this one, as the system lists them. */
export function findWorkers(parentPid = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readStatus(pid)?.parentPid === parentPid && isWorker(pid));
}

/** @returns null where there is no such process any more */
export function readStatus(pid: number): { parentPid: number; cpuMs: number } | null {
  const stat = readProcFile(pid, 'stat');
  if (stat === null) return null;
  // The name before the parenthesis may hold anything; after it come state, parent, … and the 14th and 15th: ticks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z') return null;
  return { parentPid: Number(fields[1]), cpuMs: 10 * (Number(fields[11]) + Number(fields[12])) };
}

function isWorker(pid: number): boolean {
  return readProcFile(pid, 'cmdline')?.includes('expression-worker') ?? false;
}

function readProcFile(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return null;
  }
}
