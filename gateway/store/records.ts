/**
 * The quiet port: small documents (endpoints, sources, keys, mappings, checkpoints) with compare-and-set by
 * version and a change feed. Documents are JSON values; secrets in them are sealed by whoever writes them.
 *
 * Embedded: a table beside the journal, same writer, same commit. Distributed: a hash per collection, a script
 * that checks every version before it writes any, and a stream as the change feed.
 */
export interface RecordStore {
  get<Value>(collection: string, id: string): Promise<StoredRecord<Value> | null>;

  /** All of a collection, oldest first. Collections are small: thousands, not millions. */
  list<Value>(collection: string): Promise<StoredRecord<Value>[]>;

  /**
   * Writes all of the changes or none. Durable when it resolves.
   * @returns `conflict` with the first change whose version was not as expected.
   */
  commit(changes: readonly RecordChange[]): Promise<CommitResult>;

  /** Every committed change of these collections from now on, in commit order, this process's own included. */
  watch(collections: readonly string[], signal: AbortSignal): AsyncIterable<readonly RecordNotice[]>;
}

export interface StoredRecord<Value> {
  collection: string;
  id: string;
  /** 1 for a new one, one more with every write. */
  version: number;
  value: Value;
  /** Unix ms. */
  createdAt: number;
  updatedAt: number;
}

export interface RecordChange {
  collection: string;
  id: string;
  /** null deletes. */
  value: unknown;
  /** The version it must have now: 0 for "must not exist yet", `any` to write regardless. */
  ifVersion: number | 'any';
}

export type CommitResult =
  | { kind: 'committed'; versions: number[] }
  | { kind: 'conflict'; collection: string; id: string; version: number };

export interface RecordNotice {
  collection: string;
  id: string;
  version: number;
  /** null: deleted. */
  value: unknown;
}
