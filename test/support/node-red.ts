import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeTempFolder } from './temp-folder.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..', '..');
const NODE_RED = createRequire(import.meta.url).resolve('node-red/red.js');

export interface NodeRedOptions {
  flows?: object[];
  /** Credentials by node id. */
  credentials?: Record<string, object>;
  /** Beside PATH and HOME. */
  env?: Record<string, string>;
}

/** A Node-RED of its own process that loads the built nodes from the checkout, on a port of its own. */
export interface RunningNodeRed extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Its log, line by line. */
  readonly log: string[];
  /** Asks its admin API. @throws where it answers with an error. */
  admin<Answer>(path: string, init?: RequestInit): Promise<Answer>;
  /** Deploys these flows in place of the present ones; resolves when they run. */
  deploy(flows: object[], credentials?: Record<string, object>): Promise<void>;
  /** Resolves with the first line of the log that matches, past or to come. */
  logged(pattern: RegExp): Promise<string>;
  /** Ends the process. @default 'SIGTERM' */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const LIMIT_MS = 30_000;

/**
 * Starts Node-RED and waits until its flows run.
 * @throws with its log where it ends or hangs instead.
 */
export async function startNodeRed(options: NodeRedOptions = {}): Promise<RunningNodeRed> {
  const folder = await makeTempFolder();
  const port = await freePort();
  // The folder may lie below a package of ES modules, and settings are CommonJS.
  await writeFile(join(folder.path, 'package.json'), '{"type":"commonjs"}');
  await writeFile(
    join(folder.path, 'settings.cjs'),
    `module.exports = ${JSON.stringify(settingsFor(port), null, 2)};`,
  );
  await writeFile(join(folder.path, 'flows.json'), '[]');
  const child = spawn(
    process.execPath,
    [NODE_RED, '-s', join(folder.path, 'settings.cjs'), '-u', folder.path],
    {
      cwd: folder.path,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder.path, LANG: 'en_US.UTF-8', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );

  const log: string[] = [];
  const watchers = new Set<() => void>();
  const ended = once(child, 'exit').then(() => {
    for (const look of watchers) look();
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log.push(line);
      for (const look of watchers) look();
    });
  }
  const loggedSince = (start: number, pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        watchers.delete(look);
      };
      const fail = (why: string): void => {
        finish();
        reject(new Error(`Node-RED ${why} ${String(pattern)}:\n${log.join('\n')}`));
      };
      const look = (): void => {
        const line = log.slice(start).find((text) => pattern.test(text));
        if (line !== undefined) {
          finish();
          resolve(line);
        } else if (child.exitCode !== null || child.signalCode !== null) fail('ended without logging');
      };
      const timer = setTimeout(() => fail(`did not log within ${LIMIT_MS} ms`), LIMIT_MS);
      watchers.add(look);
      look();
    });

  const url = `http://127.0.0.1:${port}`;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  const nodeRed: RunningNodeRed = {
    url,
    pid: child.pid!,
    log,
    admin: async <Answer>(path: string, init: RequestInit = {}) => {
      const headers = new Headers(init.headers);
      headers.set('accept', 'application/json');
      headers.set('content-type', 'application/json');
      const response = await fetch(`${url}${path}`, { ...init, headers });
      const text = await response.text();
      if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as Answer;
    },
    deploy: async (flows, credentials = {}) => {
      const start = log.length;
      await nodeRed.admin('/flows', {
        method: 'POST',
        headers: { 'node-red-api-version': 'v2', 'node-red-deployment-type': 'full' },
        body: JSON.stringify({ flows, credentials }),
      });
      await loggedSince(start, /Started flows/);
    },
    logged: (pattern) => loggedSince(0, pattern),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await folder[Symbol.asyncDispose]();
    },
  };
  try {
    await Promise.all([nodeRed.logged(/Server now running/), nodeRed.logged(/Started flows/)]);
    if (options.flows !== undefined) await nodeRed.deploy(options.flows, options.credentials);
    return nodeRed;
  } catch (error) {
    await nodeRed[Symbol.asyncDispose]();
    throw error;
  }
}

function settingsFor(port: number): object {
  return {
    uiHost: '127.0.0.1',
    uiPort: port,
    nodesDir: [PROJECT_ROOT],
    flowFile: 'flows.json',
    credentialSecret: 'of this test alone',
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false, projects: { enabled: false }, palette: { catalogues: [] } },
    logging: { console: { level: 'info', metrics: false, audit: false } },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
