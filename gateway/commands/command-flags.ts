import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';

import { UsageError } from './command.ts';

/** What `parseArgs` makes of the flags that a command has. */
export type FlagValues<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Options; strict: true; allowPositionals: true }>
>['values'];

/**
 * Reads the flags of a command, and the words that stand by themselves.
 * @param words names what these words are, in their order; as many as there are names are accepted.
 * @throws UsageError for an unknown flag, a flag without its value, or a word too many. Never repeats a value.
 */
export function parseFlags<const Options extends ParseArgsOptionsConfig>(
  args: string[],
  options: Options,
  words: readonly string[] = [],
): { flags: FlagValues<Options>; words: string[] } {
  try {
    const parsed = parseArgs({ args, options, strict: true, allowPositionals: true });
    if (parsed.positionals.length > words.length) {
      const accepted =
        words.length === 0 ? 'only flags are accepted' : `accepted is ${words.join(', then ')}`;
      throw new UsageError(`There is a word too many: ${accepted} (quote values with spaces).`);
    }
    return { flags: parsed.values, words: parsed.positionals };
  } catch (error) {
    throw explainParseError(error);
  }
}

/** A number in a range. @throws UsageError that names the flag and the range. */
export function readNumber(flag: string, text: string, min: number, max: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`The value of --${flag} must be a number from ${min} to ${max}.`);
}

/** A whole number in a range. @throws UsageError that names the flag and the range. */
export function readWholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`The value of --${flag} must be a whole number from ${min} to ${max}.`);
}

/** The parser's own messages run over several sentences and repeat what was typed, which may be a secret. */
function explainParseError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const flag = /'(?:-\w, )?(--?[\w-]+)/.exec(error.message)?.[1] ?? 'a flag';
  if (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    return new UsageError(`There is no flag ${flag} (see --help).`, { cause: error });
  }
  if (error.code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
    return new UsageError(`The flag ${flag} is used wrongly (see --help).`, { cause: error });
  }
  return error;
}
