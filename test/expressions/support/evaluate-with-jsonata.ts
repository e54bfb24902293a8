import jsonata from 'jsonata';

/** What JSONata itself makes of it: the value as plain JSON, or that it raised an error. */
export async function evaluateWithJsonata(
  source: string,
  event: unknown,
): Promise<{ value: unknown } | 'raises an error'> {
  try {
    return { value: toPlain(await jsonata(source).evaluate(event)) };
  } catch {
    return 'raises an error';
  }
}

/**
 * The value without what JSONata leaves on its lists and objects (marks, missing prototypes), with `Infinity` and
 * `undefined` kept apart from null.
 */
export function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toPlain(member)]));
  }
  return value === 0 ? 0 : value;
}
