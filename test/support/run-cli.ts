import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { childEnv, CLI_PATH } from './product.ts';

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  env?: Record<string, string>;
  /** Standard input. @default '' */
  input?: string;
  /** Where it runs; a folder without a configuration file. */
  cwd: string;
}

/** Runs the built `hookline` to its end, as a process of its own with nothing of our environment. */
export async function runCli(args: string[], options: CliOptions): Promise<CliResult> {
  const child = spawn(process.execPath, [CLI_PATH, ...args], {
    cwd: options.cwd,
    env: childEnv(options.env),
  });
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}
