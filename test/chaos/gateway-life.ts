import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { childEnv, CLI_PATH } from '../support/product.ts';
import type { Exit } from '../support/product.ts';

/** One run of `hookline serve`, from its start to its end, as a process of its own. */
export interface GatewayLife extends AsyncDisposable {
  /** Resolves with the milliseconds it took until the line that begins with "ready". */
  ready: Promise<number>;
  /** Resolves when the process has ended, however. */
  ended: Promise<Exit>;
  /** Sends a signal, whatever the process is doing, and waits for its end. */
  kill(signal: NodeJS.Signals): Promise<Exit>;
  /** The last lines it wrote. */
  lastLines(): string;
}

const KEPT_LINES = 40;

/** Starts it without waiting for anything, so that it can be killed while it starts. */
export function startLife(cwd: string, env: Record<string, string>): GatewayLife {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [CLI_PATH, 'serve'], {
    cwd,
    env: childEnv(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit').then(([code, signal]): Exit => ({ code, signal }));
  const lines: string[] = [];
  const ready = Promise.withResolvers<number>();
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', (line) => {
      if (lines.push(line) > KEPT_LINES) lines.shift();
      if (line.startsWith('ready ')) ready.resolve(performance.now() - startedAt);
    });
  }
  const kill = (signal: NodeJS.Signals): Promise<Exit> => {
    child.kill(signal);
    return ended;
  };
  return {
    ready: ready.promise,
    ended,
    kill,
    lastLines: () => lines.join('\n'),
    async [Symbol.asyncDispose]() {
      await kill('SIGKILL');
    },
  };
}
