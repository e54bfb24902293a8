import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

import { makeTempFolder } from './temp-folder.ts';
import { untilGone } from './until-gone.ts';

/** The command line as it is built and published. */
export const CLI_PATH: string = join(import.meta.dirname, '..', '..', 'dist', 'gateway', 'cli.js');

export interface ProductOptions {
  /** Settings beside the ports and the data directory. */
  env?: Record<string, string>;
  /** @default 'start' */
  command?: 'start' | 'serve';
  /** One that is to be used again; it is left as it is. @default a fresh one, removed at the end */
  dataDir?: string;
}

/** A running Hookline: the built command line as a process of its own, on ports of its own. */
export interface Product extends AsyncDisposable {
  url: string;
  /** null with `serve`. */
  editorUrl: string | null;
  adminKey: string;
  dataDir: string;
  pid: number;
  /** The line that begins with "ready". */
  readyLine: string;
  /** Milliseconds from the start of the process to that line. */
  startMs: number;
  stdout: string[];
  /** The log, one JSON object a line. */
  stderr: string[];
  /** Sends a signal and waits for the end. */
  kill(signal: NodeJS.Signals): Promise<Exit>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<Exit>;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const READY_MS = 30_000;

/**
 * Starts the built product and waits until it is ready.
 * @throws with all of its output where it ends or hangs instead.
 */
export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const { command = 'start' } = options;
  const folder = await (options.dataDir === undefined ? makeTempFolder() : null);
  const dataDir = options.dataDir ?? join(folder!.path, 'data');
  const cwd = dirname(dataDir);
  await mkdir(cwd, { recursive: true });
  const startedAt = performance.now();
  const child = spawn(process.execPath, [CLI_PATH, command], {
    cwd,
    env: childEnv({
      HOOKLINE_PORT: '0',
      HOOKLINE_EDITOR_PORT: '0',
      HOOKLINE_DATA_DIR: dataDir,
      ...options.env,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit').then(([code, signal]): Exit => ({ code, signal }));
  const stdout: string[] = [];
  const stderr: string[] = [];
  const ready = Promise.withResolvers<string>();
  createInterface({ input: child.stderr }).on('line', (line) => stderr.push(line));
  createInterface({ input: child.stdout }).on('line', (line) => {
    stdout.push(line);
    if (line.startsWith('ready ')) ready.resolve(line);
  });

  const fail = (what: string): never => {
    throw new Error(`hookline ${command} ${what}:\n${[...stdout, ...stderr].join('\n')}`);
  };
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_MS);
  const readyLine = await Promise.race([
    ready.promise,
    exited.then(({ code, signal }) => fail(`ended with ${signal ?? code} before it was ready`)),
  ]).finally(() => clearTimeout(timer));
  const startMs = performance.now() - startedAt;
  const [, url, , editorUrl] =
    /^ready gateway (\S+)( editor (\S+))?$/.exec(readyLine) ?? fail('printed another line');

  const kill = (signal: NodeJS.Signals): Promise<Exit> => {
    child.kill(signal);
    return exited;
  };
  return {
    url: url!,
    editorUrl: editorUrl ?? null,
    adminKey:
      options.env?.['HOOKLINE_ADMIN_KEY'] ?? (await readFile(join(dataDir, 'admin-key'), 'utf8')).trim(),
    dataDir,
    pid: child.pid!,
    readyLine,
    startMs,
    stdout,
    stderr,
    kill,
    stop: () => kill('SIGTERM'),
    async [Symbol.asyncDispose]() {
      await kill('SIGTERM');
      // The Node-RED of a gateway that was killed notices a moment later.
      if (editorUrl !== undefined) await untilGone(editorUrl);
      await folder?.[Symbol.asyncDispose]();
    },
  };
}

/** The least a program needs, our loopback ports, and what the test asks for: nothing of this process leaks in. */
export function childEnv(env: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOOKLINE_HOST: '127.0.0.1', ...env };
}
