import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Secrets } from '../installation/data-directory.ts';
import { localUrl } from '../installation/local-url.ts';
import type { Logger } from '../log.ts';
import { packageRoot } from '../installation/package-root.ts';
import { childEnvironment } from './child-environment.ts';
import { logChildOutput } from './child-output.ts';
import { reserveEditorPort } from './editor-port.ts';
import { findNodeRed } from './find-node-red.ts';
import { nextPauseMs } from './restart-pause.ts';
import { prepareUserDirectory } from './user-directory.ts';

/** A Node-RED that is kept running. */
export interface NodeRed {
  /** Where its editor is, without a slash at its end. */
  url: string;
  /** It answers. */
  isUp(): boolean;
  /** Ends it, within 10 s, and starts it no more. */
  stop(): Promise<void>;
}

export interface NodeRedOptions {
  config: Pick<Config, 'host' | 'editorPort'>;
  /** Node-RED's own folder is `node-red` in it. */
  dataDir: string;
  /** Where this machine reaches the gateway. */
  gatewayUrl: string;
  secrets: Pick<Secrets, 'flowKey' | 'credentialSecret'>;
  /** How long to wait for the port, where the Node-RED of a killed gateway may still be leaving it. @default 0 */
  portWaitMs?: number;
  log: Logger;
  clock: Clock;
}

/** A Node-RED that is not up by then is not waited for any longer; it is still looked after. */
const FIRST_START_MS = 60_000;

const STOP_MS = 10_000;
const ASK_AGAIN_MS = 50;

/**
 * Starts Node-RED as a process of its own and starts it again, after growing pauses, whenever it ends.
 * It ends with this process, however this one ends.
 * @returns when its editor answers, or when its first start has failed: then it is being tried again.
 * @throws NOT_FOUND where Node-RED is not installed, PORT_TAKEN where another program has the editor's port.
 */
export async function startNodeRed(options: NodeRedOptions): Promise<NodeRed> {
  const { config, dataDir, gatewayUrl, secrets, clock } = options;
  const log = options.log.child({ component: 'node-red' });
  const script = findNodeRed([packageRoot, process.cwd()]);
  const port = await reserveEditorPort(config.host, config.editorPort, options.portWaitMs ?? 0, clock);
  const url = localUrl(config.host, port);
  const { credentialSecret } = secrets;
  const userDirectory = prepareUserDirectory(dataDir, {
    host: config.host,
    port,
    credentialSecret,
    gatewayUrl,
  });

  const stopping = new AbortController();
  const firstStart = Promise.withResolvers<void>();
  let child: ChildProcess | null = null;
  let isUp = false;

  function spawnChild(): ChildProcess {
    const args = ['--disable-warning=ExperimentalWarning', script];
    args.push('--settings', userDirectory.settingsFile, '--userDir', userDirectory.path);
    const spawned = spawn(process.execPath, args, {
      cwd: userDirectory.path,
      env: childEnvironment(process.env, gatewayUrl, secrets.flowKey),
      // The channel tells the child when we are gone.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    logChildOutput(spawned.stdout!, log);
    logChildOutput(spawned.stderr!, log);
    return spawned;
  }

  async function runOnce(): Promise<number> {
    const startedAt = clock.now();
    const running = spawnChild();
    child = running;
    const gone = new AbortController();
    void announceWhenUp(startedAt, gone.signal);
    const how = await endOf(running);
    gone.abort();
    isUp = false;
    child = null;
    if (!stopping.signal.aborted) log.error(how, 'Node-RED ended; the gateway goes on without it.');
    return clock.now() - startedAt;
  }

  async function announceWhenUp(startedAt: number, gone: AbortSignal): Promise<void> {
    if (!(await answersAt(url, clock, gone))) return;
    isUp = true;
    log.info({ url, pid: child?.pid, startMs: clock.now() - startedAt }, 'Node-RED is up.');
    firstStart.resolve();
  }

  async function keepRunning(): Promise<void> {
    let pauseMs: number | null = null;
    while (!stopping.signal.aborted) {
      const upMs = await runOnce();
      if (stopping.signal.aborted) return;
      pauseMs = nextPauseMs(pauseMs, upMs);
      log.warn({ pauseMs }, 'Node-RED is started again after a pause.');
      firstStart.resolve();
      await pause(pauseMs, clock, stopping.signal);
    }
  }

  const running = keepRunning();
  const forgetFirstStart = clock.wakeAt(clock.now() + FIRST_START_MS, firstStart.resolve);
  await firstStart.promise;
  forgetFirstStart();

  return {
    url,
    isUp: () => isUp,
    async stop() {
      stopping.abort();
      child?.kill('SIGTERM');
      const forgetKill = clock.wakeAt(clock.now() + STOP_MS, () => child?.kill('SIGKILL'));
      await running;
      forgetKill();
    },
  };
}

/** Resolves when the process is gone, or could not be made in the first place. */
function endOf(child: ChildProcess): Promise<Record<string, unknown>> {
  const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>();
  child.once('exit', (code, signal) => resolve({ code, signal }));
  child.once('error', (err) => resolve({ err }));
  return promise;
}

/** Asks until something answers or the signal ends it. */
async function answersAt(url: string, clock: Clock, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    try {
      const response = await fetch(url, { signal });
      await response.body?.cancel();
      return true;
    } catch {
      await pause(ASK_AGAIN_MS, clock, signal);
    }
  }
  return false;
}

/** Ends early when the signal does. */
async function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.wakeAt(clock.now() + ms, resolve);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  cancel();
}
