/**
 * Says, before it is written, whether a value can be written as JSON of at most so many UTF-16 units. Looks at no
 * more of it than the limit allows, however often the value holds the same part. Escapes are not counted.
 * Functions, JSONata's own included, are no JSON.
 */
export function judgeJson(value: unknown, maxChars: number): 'fits' | 'too_large' | 'not_json' {
  let left = maxChars;
  const open = [value];
  while (open.length > 0) {
    const item = open.pop();
    // A digit or a bracket, and what separates it from the next.
    left -= 2;
    if (typeof item === 'string') left -= item.length;
    else if (Array.isArray(item)) {
      if (item.length > left) return 'too_large';
      for (const member of item) open.push(member);
    } else if (typeof item === 'object' && item !== null) {
      if (isJsonataFunction(item)) return 'not_json';
      for (const [name, member] of Object.entries(item)) {
        left -= name.length + 2;
        open.push(member);
      }
    } else if (typeof item === 'function' || typeof item === 'symbol' || typeof item === 'bigint') {
      return 'not_json';
    }
    if (left < 0) return 'too_large';
  }
  return 'fits';
}

/** How JSONata tells its functions from data: data with these members is a function to it. */
export function isJsonataFunction(value: object): boolean {
  const { _jsonata_lambda, _jsonata_function } = value as Record<string, unknown>;
  return _jsonata_lambda === true || _jsonata_function === true;
}
