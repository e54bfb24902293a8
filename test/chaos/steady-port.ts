import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Random } from '../../gateway/simulate/random.ts';

/** Below the range from which systems take the ports of outgoing connections, which begins at 32768. */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const TRIES = 100;

/**
 * A free port that can be taken again and again: no outgoing connection gets it by chance while nobody listens.
 * @throws where none of a hundred is free
 */
export async function findSteadyPort(random: Random): Promise<number> {
  for (let tried = 0; tried < TRIES; tried++) {
    const port = random.integer(LOWEST, HIGHEST);
    if (await isFree(port)) return port;
  }
  throw new Error(`None of ${TRIES} ports between ${LOWEST} and ${HIGHEST} is free.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
