import { isJsonataFunction } from './judge-json.ts';

/**
 * Whether a value counts as true, as JSONata's `$boolean` has it: false are nothing, null, 0, the empty text, the
 * empty object, and a list without a member that is true.
 */
export function castBoolean(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(castBoolean);
  if (typeof value === 'object') {
    return value !== null && Object.keys(value).length > 0 && !isJsonataFunction(value);
  }
  return Boolean(value) && typeof value !== 'function';
}
