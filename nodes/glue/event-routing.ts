/**
 * Which output an event of this type belongs to, where each subscribed pattern has one: the first pattern that
 * covers it. Spelling does not matter here, because the gateway brings vendors' spellings into one form.
 * @param patterns exact names, families (`work_order.*`) and `*`.
 * @returns 0 where none covers it: what the gateway sends was asked for.
 */
export function outputOf(patterns: readonly string[], type: string): number {
  const name = bareName(type);
  const index = patterns.findIndex((pattern) => {
    if (pattern === '*') return true;
    if (pattern.endsWith('.*')) return name.startsWith(bareName(pattern.slice(0, -1)));
    return bareName(pattern) === name;
  });
  return Math.max(0, index);
}

function bareName(type: string): string {
  return type.toLowerCase().replaceAll(/[_-]/g, '.');
}
