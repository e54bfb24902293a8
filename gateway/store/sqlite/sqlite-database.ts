import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** Opens the file, or makes it. The writer's connection also makes the tables. */
export function openDatabase(path: string, role: 'writer' | 'reader'): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: role === 'reader' });
  database.exec('PRAGMA busy_timeout = 5000; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;');
  if (role === 'reader') return database;
  // A page size can only be chosen before the first table: larger pages suit rows of a kilobyte.
  database.exec('PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  // Checkpoints are made after answers have gone out, not inside somebody's commit (see sqlite-worker.ts).
  database.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;');
  database.exec(readSql('schema'));
  database
    .prepare(
      `INSERT INTO meta (key, value) VALUES ('epoch', ?), ('lease_epoch', 0), ('floor', 0), ('oldest', 0) ON CONFLICT DO NOTHING`,
    )
    .run(randomBytes(6).toString('hex'));
  return database;
}

/** A command by the name of its file in `sql/`; the files' heads say what goes in and comes out. */
export function prepareSql(database: DatabaseSync, name: string): StatementSync {
  return database.prepare(readSql(name));
}

function readSql(name: string): string {
  return readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
}

/** The numbers behind names (endpoint ids, types, sources). The writer adds, readers look up. */
export class NameTable {
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<number, string>();
  readonly #insert: StatementSync | null;
  readonly #byName: StatementSync;
  readonly #byNumber: StatementSync;

  constructor(database: DatabaseSync, role: 'writer' | 'reader') {
    this.#insert =
      role === 'writer' ? database.prepare('INSERT INTO names (name) VALUES (?) RETURNING no') : null;
    this.#byName = database.prepare('SELECT no FROM names WHERE name = ?');
    this.#byNumber = database.prepare('SELECT name FROM names WHERE no = ?');
  }

  /** Adds the name where it is new. Only inside the writer's transaction; see `forget`. */
  numberOf(name: string): number {
    const known = this.find(name);
    if (known !== null) return known;
    const added = (this.#insert!.get(name) as { no: number }).no;
    this.#remember(added, name);
    return added;
  }

  find(name: string): number | null {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const row = this.#byName.get(name) as { no: number } | undefined;
    if (row) this.#remember(row.no, name);
    return row?.no ?? null;
  }

  nameOf(number: number): string {
    const known = this.#names.get(number);
    if (known !== undefined) return known;
    const name = (this.#byNumber.get(number) as { name: string }).name;
    this.#remember(number, name);
    return name;
  }

  /** After a rollback: numbers given inside it may not exist. */
  forget(): void {
    this.#numbers.clear();
    this.#names.clear();
  }

  #remember(number: number, name: string): void {
    this.#numbers.set(name, number);
    this.#names.set(number, name);
  }
}
