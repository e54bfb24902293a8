import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { writePrivateFile } from './secret-file.ts';

/** The gateway that runs on a data directory; how commands in other processes find it. */
export interface Instance {
  /** Where it can be reached from this machine. */
  url: string;
  pid: number;
}

const FILE = 'instance.json';

/** Tells commands on this machine where the gateway listens. */
export function announceInstance(dataDir: string, instance: Instance): void {
  writePrivateFile(join(dataDir, FILE), `${JSON.stringify(instance)}\n`);
}

/** Takes the announcement back. */
export function withdrawInstance(dataDir: string): void {
  rmSync(join(dataDir, FILE), { force: true });
}

/**
 * @returns null where no gateway has announced itself. One that was killed could not withdraw: whoever connects
 *   finds out.
 */
export function findInstance(dataDir: string): Instance | null {
  try {
    return JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')) as Instance;
  } catch {
    return null;
  }
}
