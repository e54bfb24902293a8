import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import type { Clock } from '../clock.ts';
import { HooklineError } from '../errors.ts';

/** How often a port that should come free is looked at again. */
const LOOK_AGAIN_MS = 100;

/**
 * The port the editor will listen on, seen to be free just now; for 0 one that the system chooses.
 * @param waitMs how long to wait for one that is about to come free.
 * @throws PORT_TAKEN where another program listens there; CONFIGURATION where nothing can listen on this host.
 */
export async function reserveEditorPort(
  host: string,
  port: number,
  waitMs: number,
  clock: Clock,
): Promise<number> {
  const giveUpAt = clock.now() + waitMs;
  for (;;) {
    const result = await tryListening(host, port);
    if (typeof result === 'number') return result;
    if (result.code !== 'EADDRINUSE') throw cannotListen(host, port, result);
    if (clock.now() >= giveUpAt) throw portTaken(host, port);
    await new Promise<void>((resolve) => clock.wakeAt(clock.now() + LOOK_AGAIN_MS, resolve));
  }
}

function tryListening(host: string, port: number): Promise<number | NodeJS.ErrnoException> {
  const { promise, resolve } = Promise.withResolvers<number | NodeJS.ErrnoException>();
  const server = createServer();
  server.once('error', resolve);
  server.listen(port, host, () => {
    const { port: found } = server.address() as AddressInfo;
    server.close(() => resolve(found));
  });
  return promise;
}

function portTaken(host: string, port: number): HooklineError {
  return new HooklineError(
    'PORT_TAKEN',
    `Another program listens on port ${port} of ${host}, where the editor should be; ` +
      'stop it, or set HOOKLINE_EDITOR_PORT to another port.',
    { details: { setting: 'HOOKLINE_EDITOR_PORT', port } },
  );
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): HooklineError {
  return new HooklineError(
    'CONFIGURATION',
    `The editor cannot listen on port ${port} of ${host} (${cause.code ?? cause.message}); ` +
      'set HOOKLINE_HOST to an address of this machine and HOOKLINE_EDITOR_PORT to a port you may use.',
    { details: { setting: 'HOOKLINE_EDITOR_PORT', port }, cause },
  );
}
