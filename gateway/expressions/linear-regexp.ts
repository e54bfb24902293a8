import { RE2JS } from 're2js';

const programs = new WeakMap<RegExp, RE2JS>();

/**
 * The RE2 program for a pattern: matches in time proportional to the text, whatever the pattern.
 * @throws where RE2 does not know a construct (look-around, back-references) or the program would grow too large
 */
export function compileLinear(pattern: RegExp): RE2JS {
  let program = programs.get(pattern);
  if (!program) {
    program = RE2JS.compile(RE2JS.translateRegExp(pattern));
    programs.set(pattern, program);
  }
  return program;
}

/** What JSONata needs of a `RegExp` with the flag `g`, done by RE2. */
export class LinearRegExp {
  /** Where the next match is looked for; behind the last match afterwards. */
  lastIndex = 0;
  readonly #program: RE2JS;

  constructor(pattern: RegExp) {
    this.#program = compileLinear(pattern);
  }

  exec(text: string): { [group: number]: string | undefined; index: number; length: number } | null {
    const matcher = this.#program.matcher(text);
    if (this.lastIndex > text.length || !matcher.find(this.lastIndex)) {
      this.lastIndex = 0;
      return null;
    }
    this.lastIndex = matcher.end();
    const groups = Array.from(
      { length: matcher.groupCount() + 1 },
      (_, group) => matcher.group(group) ?? undefined,
    );
    return Object.assign(groups, { index: matcher.start() });
  }
}
