import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

import { HooklineError } from '../errors.ts';

/** Only the owner may read it. */
const PRIVATE_MODE = 0o600;

/**
 * The secret in a file; made the first time, the same ever after.
 * A new one is on the disk, whole and with mode 0600, before this returns: nothing is sealed with a key that a
 * power cut could take away. The caller sees to it that no two make it at once.
 * @throws CONFIGURATION for a file that is there and empty.
 */
export function readOrMakeSecret(path: string, make: () => string): string {
  const existing = readSecretFile(path);
  if (existing !== null) return existing;
  const secret = make();
  writePrivateFile(path, `${secret}\n`);
  return secret;
}

/**
 * @returns null where there is no such file. One that others could read is made private first.
 * @throws CONFIGURATION for a file that is there and empty.
 */
export function readSecretFile(path: string): string | null {
  let text: string;
  try {
    chmodSync(path, PRIVATE_MODE);
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  if (text !== '') return text;
  throw new HooklineError(
    'CONFIGURATION',
    `${path} is empty; restore it from a backup, or remove it for a new one.`,
  );
}

/** Replaces the file in one step, readable by its owner alone, and waits for the disk. */
export function writePrivateFile(path: string, text: string): void {
  const next = `${path}.new`;
  rmSync(next, { force: true });
  const file = openSync(next, 'wx', PRIVATE_MODE);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
  syncFolder(dirname(path));
}

/** A rename is only on the disk once its folder is; Windows knows no such thing. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
