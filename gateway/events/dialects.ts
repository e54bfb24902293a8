import type { Dialect, DialectName } from './dialect.ts';
import { machinemetrics } from './machinemetrics.ts';
import { machshop } from './machshop.ts';

/** Every dialect, by name. */
export const dialects: Readonly<Record<DialectName, Dialect>> = { machshop, machinemetrics };

/** The dialect of this name, `undefined` where there is none. */
export function findDialect(name: string): Dialect | undefined {
  return Object.hasOwn(dialects, name) ? dialects[name as DialectName] : undefined;
}
