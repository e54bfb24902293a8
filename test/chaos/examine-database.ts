import { DatabaseSync } from 'node:sqlite';

/** What SQLite itself says about the database of a gateway that has ended. */
export function examineDatabase(path: string): { integrity: string; open: number } {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const [{ integrity_check: integrity }] = database.prepare('PRAGMA integrity_check').all() as [
      { integrity_check: string },
    ];
    const { open } = database
      .prepare('SELECT COUNT(*) AS open FROM deliveries WHERE due_at IS NOT NULL')
      .get() as { open: number };
    return { integrity, open };
  } finally {
    database.close();
  }
}
