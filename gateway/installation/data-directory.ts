import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Config } from '../config.ts';
import { HooklineError } from '../errors.ts';
import { takeFileLock } from './file-lock.ts';
import type { FileLock } from './file-lock.ts';
import { announceInstance, withdrawInstance } from './instance.ts';
import { readOrMakeSecret, writePrivateFile } from './secret-file.ts';

/** The keys an installation runs with. Each is made once and kept in a file with mode 0600. */
export interface Secrets {
  /** Bearer key with scope `admin`. File `admin-key`, unless `HOOKLINE_ADMIN_KEY` is set. */
  adminKey: string;
  /** 32 bytes as base64: seals secrets at rest. File `secret-key`, unless `HOOKLINE_SECRET_KEY` is set. */
  secretKey: string;
  /** Bearer key with scope `flow`, for the supervised Node-RED. File `flow-key`. */
  flowKey: string;
  /** What Node-RED encrypts the credentials of its flows with. File `node-red-credential-secret`. */
  credentialSecret: string;
}

/** An opened data directory: ours alone until it is closed or the process ends. */
export interface DataDirectory {
  /** Absolute. */
  path: string;
  secrets: Secrets;
  /** No gateway has ever become ready on it. */
  isFirstStart: boolean;
  /** The last process that had it ended without closing it. */
  wasKilled: boolean;
  /** The gateway is ready: commands find it from now on. */
  announce(url: string): void;
  close(): void;
}

const PRIVATE_FOLDER_MODE = 0o700;
const PID_FILE = 'lock.pid';
const STARTED_FILE = 'started';

/**
 * Opens the data directory, made with mode 0700 where it is missing, and the keys in it.
 * @throws ALREADY_RUNNING where another process has it open, with its pid; CONFIGURATION where the directory
 *   cannot be used.
 */
export function openDataDirectory(config: Pick<Config, 'dataDir' | 'adminKey' | 'secretKey'>): DataDirectory {
  const path = config.dataDir;
  const lock = lockDirectory(path);
  try {
    const pidPath = join(path, PID_FILE);
    const wasKilled = existsSync(pidPath);
    writeFileSync(pidPath, `${process.pid}\n`);
    return {
      path,
      secrets: openSecrets(path, config),
      isFirstStart: !existsSync(join(path, STARTED_FILE)),
      wasKilled,
      announce(url) {
        announceInstance(path, { url, pid: process.pid });
        writePrivateFile(join(path, STARTED_FILE), '');
      },
      close() {
        withdrawInstance(path);
        rmSync(pidPath, { force: true });
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function lockDirectory(path: string): FileLock {
  let lock: FileLock | null;
  try {
    makePrivateFolder(path);
    lock = takeFileLock(join(path, 'lock.db'));
  } catch (cause) {
    throw new HooklineError(
      'CONFIGURATION',
      `The data directory ${path} cannot be made or written to; set HOOKLINE_DATA_DIR to a directory that can.`,
      { details: { setting: 'HOOKLINE_DATA_DIR' }, cause },
    );
  }
  if (lock) return lock;
  throw new HooklineError(
    'ALREADY_RUNNING',
    `Hookline already runs on the data directory ${path} (process ${readPid(path)}). ` +
      'Stop that one, or set HOOKLINE_DATA_DIR to another directory.',
    { details: { dataDir: path } },
  );
}

/** Not all in one: where the last folder can never be made, as in `/proc`, Node.js would try for ever. */
function makePrivateFolder(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER_MODE });
  try {
    mkdirSync(path, { mode: PRIVATE_FOLDER_MODE });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function readPid(path: string): string {
  try {
    return readFileSync(join(path, PID_FILE), 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

function openSecrets(path: string, config: Pick<Config, 'adminKey' | 'secretKey'>): Secrets {
  const kept = (name: string, make: () => string): string => readOrMakeSecret(join(path, name), make);
  return {
    adminKey: config.adminKey ?? kept(ADMIN_KEY_FILE, makeKey),
    secretKey: config.secretKey ?? kept('secret-key', () => randomBytes(32).toString('base64')),
    flowKey: kept('flow-key', makeKey),
    credentialSecret: kept('node-red-credential-secret', () => randomBytes(32).toString('base64url')),
  };
}

/** The same form as every other key of the API. */
function makeKey(): string {
  return `sk-${randomBytes(32).toString('base64url')}`;
}

/** Where the admin key is kept when no setting gives it. */
export const ADMIN_KEY_FILE = 'admin-key';
