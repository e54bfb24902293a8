import { systemClock } from '../clock.ts';
import { readConfig } from '../config.ts';
import { openDataDirectory } from '../installation/data-directory.ts';
import { startGateway } from '../gateway.ts';
import { createLogger, gatherLines } from '../log.ts';
import { startNodeRed } from '../node-red/supervisor.ts';
import type { NodeRed } from '../node-red/supervisor.ts';
import type { CommandIo } from './command.ts';
import { createConnection } from './gateway-connection.ts';

/** A Node-RED that outlives a killed gateway for a moment has left its port by then. */
const ORPHAN_LEAVES_MS = 5000;

/**
 * Runs the gateway until SIGTERM or SIGINT, then lets it finish what it has begun. A second signal ends it at once.
 * @returns the exit code
 * @throws CONFIGURATION, ALREADY_RUNNING or PORT_TAKEN where it cannot start
 */
export async function runGateway(io: CommandIo, options: { withNodeRed: boolean }): Promise<number> {
  const config = readConfig(io.env ?? process.env, process.cwd());
  // Databases, Node-RED's files and whatever else is made from here on is the owner's alone.
  process.umask(0o077);
  const stopped = waitForSignal();
  const log = createLogger({ stream: gatherLines(io.stderr), pretty: process.stderr.isTTY });
  const dataDirectory = openDataDirectory(config);
  const { path: dataDir, secrets, wasKilled } = dataDirectory;
  try {
    const gateway = await startGateway({ config, secrets, dataDir, clock: systemClock, log });
    let nodeRed: NodeRed | null = null;
    try {
      if (options.withNodeRed) {
        const portWaitMs = wasKilled ? ORPHAN_LEAVES_MS : 0;
        nodeRed = await startNodeRed({
          config,
          dataDir,
          gatewayUrl: gateway.url,
          secrets,
          portWaitMs,
          log,
          clock: systemClock,
        });
        gateway.announceEditor(nodeRed.url);
      }
      dataDirectory.announce(gateway.url);
      if (dataDirectory.isFirstStart) {
        const { url } = await createConnection(gateway.url, secrets.adminKey).post<{ url: string }>(
          '/login-link',
        );
        io.stdout.write(
          `To log in, open ${url} (valid once, for 10 minutes; hookline login prints another)\n`,
        );
      }
      io.stdout.write(`ready gateway ${gateway.url}${nodeRed === null ? '' : ` editor ${nodeRed.url}`}\n`);
      log.info({ signal: await stopped }, 'Stopping: what was begun is finished first.');
    } finally {
      await nodeRed?.stop();
      await gateway.close();
    }
  } finally {
    dataDirectory.close();
  }
  return 0;
}

/** The first signal resolves; the second one ends the process on the spot. */
function waitForSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let isStopping = false;
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      resolve(name);
    });
  }
  return promise;
}
