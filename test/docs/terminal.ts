import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface TerminalOptions {
  cwd: string;
  env: Record<string, string>;
}

/** A shell that is typed into: variables, functions and background jobs stay from one input to the next. */
export interface Terminal extends AsyncDisposable {
  /** All that was printed so far, by the shell and its jobs, line by line. */
  readonly lines: readonly string[];
  /**
   * Runs commands and waits for their end; those with `&` go on.
   * @throws with all that was printed, where one fails
   */
  run(commands: string): Promise<void>;
  /**
   * Resolves once each pattern has been found in a line of its own from the given one on.
   * @throws with what was printed, where that does not happen in time
   */
  untilPrinted(patterns: readonly RegExp[], fromLine: number): Promise<void>;
}

const LIMIT_MS = 20_000;
const DONE = '--done--';

/** Opens a bash that ends at the first command that fails. */
export function openTerminal({ cwd, env }: TerminalOptions): Terminal {
  // A group of its own, so that its jobs can be ended with it.
  const shell = spawn('bash', ['-s'], { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  let hasEnded = false;
  let ran = 0;
  let done = 0;
  const look = (): void => {
    for (const watcher of watchers) watcher();
  };
  const killGroup = (): void => {
    try {
      process.kill(-shell.pid!, 'SIGKILL');
    } catch {
      // All of it has ended already.
    }
  };
  // Its last words are heard only once nobody holds its output any more.
  shell.once('exit', killGroup);
  const ended = once(shell, 'close').then(() => {
    hasEnded = true;
    look();
  });
  for (const stream of [shell.stdout, shell.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (line === DONE) done += 1;
      else if (line !== '') lines.push(line);
      look();
    });
  }
  shell.stdin.on('error', () => {
    // It has ended: whoever waits is told so.
  });
  shell.stdin.write('set -eo pipefail\n');

  const until = (isSo: () => boolean, what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const finish = (problem?: string): void => {
        clearTimeout(timer);
        watchers.delete(watcher);
        if (problem === undefined) resolve();
        else reject(new Error(`${problem} ${what}. The terminal shows:\n${lines.join('\n')}`));
      };
      const watcher = (): void => {
        if (isSo()) finish();
        else if (hasEnded) finish('The shell ended before');
      };
      const timer = setTimeout(() => finish(`It took more than ${LIMIT_MS} ms until`), LIMIT_MS);
      watchers.add(watcher);
      watcher();
    });

  return {
    lines,
    run: async (commands) => {
      ran += 1;
      const expected = ran;
      shell.stdin.write(`{\n${commands}\n} </dev/null\nprintf '\\n%s\\n' ${DONE}\n`);
      await until(() => done >= expected, `the end of:\n${commands}`);
    },
    untilPrinted: (patterns, fromLine) =>
      until(
        () => missing(patterns, lines.slice(fromLine)).length === 0,
        `each of these was printed: ${patterns.join(' ')}`,
      ),
    [Symbol.asyncDispose]: async () => {
      killGroup();
      await ended;
    },
  };
}

/** The patterns for which no line is left, where a line serves one pattern only. */
function missing(patterns: readonly RegExp[], lines: readonly string[]): RegExp[] {
  const left = [...lines];
  return patterns.filter((pattern) => {
    const index = left.findIndex((line) => pattern.test(line));
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}
