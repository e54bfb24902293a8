import { normaliseType } from './normalise-type.ts';

/** The family of the gateway's own events about its work. */
const OPERATIONAL_PREFIX = 'hookline.';

const LONGEST_PATTERN = 256;

/**
 * True for the gateway's own events about its work, which `*` leaves out so that a subscriber to everything
 * is not told about its own failing deliveries.
 */
export function isOperationalType(type: string): boolean {
  return type.startsWith(OPERATIONAL_PREFIX);
}

/**
 * Compiles what an endpoint subscribes to into a test for the hot path.
 * @param patterns exact names, families (`work_order.*`) and `*`, each one free of problems
 *   (see `typePatternProblem`); an exact name also means the catalogue's spelling of it. None matches nothing.
 * @returns true for a type that any of the patterns covers
 */
export function compileTypeFilter(patterns: readonly string[]): (type: string) => boolean {
  const exact = new Set<string>();
  const prefixes: string[] = [];
  let everything = false;
  for (const pattern of patterns) {
    if (pattern === '*') {
      everything = true;
    } else if (pattern.endsWith('.*')) {
      prefixes.push(pattern.slice(0, -1));
    } else {
      exact.add(pattern).add(normaliseType(pattern));
    }
  }
  if (everything) {
    return (type) => !isOperationalType(type) || exact.has(type) || startsWithAny(type, prefixes);
  }
  if (prefixes.length === 0) return (type) => exact.has(type);
  return (type) => exact.has(type) || startsWithAny(type, prefixes);
}

/**
 * Says what is wrong with a pattern that somebody typed.
 * @returns a sentence that names the pattern and the remedy, or `null` where nothing is wrong
 */
export function typePatternProblem(pattern: string): string | null {
  if (pattern === '') return 'an event type is empty; give a name, a family such as work_order.* or *';
  if (pattern.length > LONGEST_PATTERN) {
    return `an event type has ${pattern.length} characters; at most ${LONGEST_PATTERN} are allowed`;
  }
  const quoted = JSON.stringify(pattern);
  if (pattern.trim() !== pattern || /\p{Cc}/u.test(pattern)) {
    return `the event type ${quoted} has a space at its end or a control character in it; leave that out`;
  }
  if (pattern === '*') return null;
  const name = pattern.endsWith('.*') ? pattern.slice(0, -2) : pattern;
  if (name.includes('*')) {
    return `the event type ${quoted} has a * in the wrong place; it stands alone or ends a family, as in work_order.*`;
  }
  if (name === '' || name.startsWith('.') || name.endsWith('.')) {
    return `the event type ${quoted} has an empty part; write it like work_order.created or work_order.*`;
  }
  return null;
}

function startsWithAny(type: string, prefixes: readonly string[]): boolean {
  for (const prefix of prefixes) {
    if (type.startsWith(prefix)) return true;
  }
  return false;
}
