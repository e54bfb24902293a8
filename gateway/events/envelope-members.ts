import type { MachineRef } from './event.ts';
import { isJsonObject, type JsonObject } from './json-object.ts';

/** The type of an envelope that names none. */
export const UNKNOWN_TYPE = 'unknown';

/** A member that was understood, and the name it was found under. */
export interface TakenMember<T> {
  name: string;
  value: T;
}

/** The first of `names` whose value `read` understands. What nobody understands stays where it is. */
export function takeMember<T>(
  envelope: JsonObject,
  names: readonly string[],
  read: (value: unknown) => T | null,
): TakenMember<T> | null {
  for (const name of names) {
    const value = read(envelope[name]);
    if (value !== null) return { name, value };
  }
  return null;
}

/** Longer ids and type names are not taken as such: they would end in indexes, headers and labels. */
const MAX_ID_LENGTH = 1024;
const MAX_TYPE_LENGTH = 256;

/** An id: text to the letter, or a whole number that JavaScript did not have to round. */
export function readId(value: unknown): string | null {
  if (typeof value === 'string') {
    return value.length > 0 && value.length <= MAX_ID_LENGTH && value.isWellFormed() ? value : null;
  }
  return Number.isSafeInteger(value) ? String(value) : null;
}

/** A type name, to the letter. */
export function readTypeName(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  return value.length > 0 && value.length <= MAX_TYPE_LENGTH && value.isWellFormed() ? value : null;
}

const ISO_DATE_TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/** Below this a number counts seconds (up to the year 5138), from here on milliseconds (from 1973). */
const FIRST_MILLISECONDS = 1e11;

/** The largest time a `Date` holds; beyond it there is no ISO form to deliver. */
const LAST_DATE_MS = 8.64e15;

/**
 * A time as Unix milliseconds: ISO 8601, in UTC where no zone is given (the vendors promise UTC),
 * or a number of seconds or milliseconds.
 */
export function readTimestamp(value: unknown): number | null {
  if (typeof value === 'number') {
    const ms = Math.round(value < FIRST_MILLISECONDS ? value * 1000 : value);
    return ms > 0 && ms <= LAST_DATE_MS ? ms : null;
  }
  if (typeof value !== 'string' || value.length > 40) return null;
  const match = ISO_DATE_TIME.exec(value);
  if (match === null) return null;
  const zone = match[1];
  const ms = Date.parse(zone === undefined ? `${value}Z` : zone.length === 3 ? `${value}:00` : value);
  return Number.isNaN(ms) ? null : ms;
}

/** A shallow copy without the members named in `taken`. */
export function membersExcept(envelope: JsonObject, taken: readonly (string | undefined)[]): JsonObject {
  const rest: JsonObject = {};
  for (const name of Object.keys(envelope)) {
    if (taken.includes(name)) continue;
    if (name === '__proto__') {
      // Assigning it would replace the copy's prototype instead of making a member.
      const value = envelope[name];
      Object.defineProperty(rest, name, { value, enumerable: true, writable: true, configurable: true });
    } else {
      rest[name] = envelope[name];
    }
  }
  return rest;
}

/** A machine given as an object with an id (or at least a name), or as the bare id. */
export function readMachine(value: unknown): MachineRef | null {
  if (!isJsonObject(value)) return machineOfId(readId(value));
  const name = typeof value['name'] === 'string' && value['name'] !== '' ? value['name'] : null;
  const id = readId(value['id']) ?? name;
  if (id === null) return null;
  const machine: MachineRef = { id };
  if (name !== null) machine.name = name;
  if (typeof value['group'] === 'string') machine.group = value['group'];
  return machine;
}

function machineOfId(id: string | null): MachineRef | null {
  return id === null ? null : { id };
}
