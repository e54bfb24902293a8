import { DatabaseSync } from 'node:sqlite';

/** A lock between processes, held until it is released or its process ends. */
export interface FileLock {
  release(): void;
}

/** SQLite's "somebody else holds it". */
const SQLITE_BUSY = 5;

/** Keeps what is held from being collected as garbage, which would release it without a word. */
const held = new Set<DatabaseSync>();

/**
 * Locks by an open exclusive transaction on a tiny database file: the operating system frees it together with
 * the process, however that ends, so a lock left behind by a crash does not exist.
 * @param path made where it is missing; its folder must exist.
 * @param waitMs how long to wait for another holder; the whole thread waits. @default 0
 * @returns null where another holder, in this process or another, still has it.
 */
export function takeFileLock(path: string, waitMs = 0): FileLock | null {
  const database = new DatabaseSync(path, { timeout: waitMs });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) return null;
    throw error;
  }
  held.add(database);
  return {
    release() {
      if (held.delete(database)) database.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
