import { Readable, Writable } from 'node:stream';

import { runCommandLine } from '../../../gateway/command-line.ts';

/** What "now" is for commands in tests. */
export const NOW = Date.UTC(2026, 0, 15, 8, 0, 0);

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `hookline` with these arguments in this process, with nothing of our environment. */
export async function runInProcess(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const outcome: Outcome = { code: 0, stdout: '', stderr: '' };
  const into = (name: 'stdout' | 'stderr'): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        outcome[name] += chunk.toString();
        done();
      },
    });
  outcome.code = await runCommandLine(args, {
    stdin: Readable.from([]),
    stdout: into('stdout'),
    stderr: into('stderr'),
    now: () => NOW,
    env,
  });
  return outcome;
}
