import type { Clock } from '../clock.ts';
import { HooklineError } from '../errors.ts';
import type { RecordStore } from './records.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';
import type { Store } from './store.ts';

/**
 * Opens the store that a URL names. The only place that knows the adapters.
 * @param url `sqlite:<path of the file>`
 * @throws CONFIGURATION for any other scheme.
 */
export async function openStore(url: string, clock: Clock): Promise<Store & RecordStore> {
  if (url.startsWith('sqlite:')) return openSqliteStore({ path: url.slice('sqlite:'.length), clock });
  throw new HooklineError(
    'CONFIGURATION',
    `HOOKLINE_STORE_URL "${url.replace(/:\/\/.*@/, '://…@')}" is not supported; use sqlite:<path of the file>.`,
  );
}
