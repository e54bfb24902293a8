import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { CustomOptions, SignatureScheme } from '../signing/scheme.ts';
import { schemeNamed } from '../signing/schemes.ts';
import { SigningError } from '../signing/signing-error.ts';
import { UsageError } from './command.ts';
import type { CommandIo } from './command.ts';

/** Where the secret is read from when no flag gives it, so that it stays out of the shell's history. */
export const SECRET_VARIABLE = 'HOOKLINE_SECRET';

/** The flags of `hookline sign` and `hookline verify`, as text. */
export type SigningFlags = ReturnType<typeof parseSigningFlags>;

/** The part of the help that both commands share. */
export const SHARED_USAGE = `  --scheme NAME       mes, standard, maintainx, slack, github, stripe or custom
  --secret S          the secret; may be given several times (rotation).
                      Without it the environment variable ${SECRET_VARIABLE} is read,
                      which keeps the secret out of your shell's history
  --body-file F       the file with the body, byte for byte; without it, standard input
  --uri U             maintainx: sign or verify the full address too
  --json              print JSON
  --help              print this

For --scheme custom:
  --header-name N     the header of the signature
  --prefix P          what stands before the signature in it, e.g. sha256=
  --encoding E        hex (default) or base64
  --digest D          sha256 (default), sha384 or sha512
  --template T        the signed content, default {body}; places: {timestamp}, {id}, {body}
  --timestamp-header N, --id-header N
                      where {timestamp} and {id} travel, default webhook-timestamp, webhook-id
`;

/** @throws UsageError for an unknown flag, a flag without its value, or anything that is no flag. */
export function parseSigningFlags(args: string[]) {
  try {
    const { values } = parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: false });
    return values;
  } catch (error) {
    throw new UsageError(explainParseError(error), { cause: error });
  }
}

/** @throws UsageError where `--scheme` is absent or unknown. */
export function schemeOf(flags: SigningFlags): SignatureScheme {
  if (flags.scheme === undefined)
    throw new UsageError('Give the scheme, e.g. --scheme standard (see --help).');
  return asUsage(() => schemeNamed(flags.scheme ?? ''));
}

/** The secrets of the flags, else of the environment; may be none. */
export function secretsOf(flags: SigningFlags, io: CommandIo): string[] {
  if (flags.secret !== undefined) return flags.secret;
  const fromEnvironment = (io.env ?? process.env)[SECRET_VARIABLE];
  return fromEnvironment === undefined || fromEnvironment === '' ? [] : [fromEnvironment];
}

/** @throws UsageError where there is none. */
export function requireSecrets(secrets: string[]): string[] {
  if (secrets.length === 0) throw new UsageError(`Give the secret with --secret or in ${SECRET_VARIABLE}.`);
  return secrets;
}

/** The options of the scheme `custom`; `undefined` for the others. @throws UsageError */
export function customOf(flags: SigningFlags): CustomOptions | undefined {
  if (flags.scheme !== 'custom') {
    const stray = CUSTOM_FLAGS.find((name) => flags[name] !== undefined);
    if (stray !== undefined) throw new UsageError(`The flag --${stray} only goes with --scheme custom.`);
    return undefined;
  }
  if (flags['header-name'] === undefined)
    throw new UsageError('The scheme custom needs --header-name, e.g. x-signature.');
  return {
    headerName: flags['header-name'],
    prefix: flags.prefix,
    encoding: oneOf(flags.encoding, 'encoding', ['hex', 'base64']),
    digest: oneOf(flags.digest, 'digest', ['sha256', 'sha384', 'sha512']),
    template: flags.template,
    timestampHeader: flags['timestamp-header'],
    idHeader: flags['id-header'],
  };
}

/** A whole number of seconds, not negative. @throws UsageError that names the flag. */
export function secondsOf(text: string, flag: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new UsageError(`The value of --${flag} must be a whole number of seconds.`);
  return Number(text);
}

/** The bytes of the body, untouched. @throws UsageError where the file cannot be read. */
export async function readBody(flags: SigningFlags, io: CommandIo): Promise<Uint8Array> {
  const path = flags['body-file'];
  if (path !== undefined) {
    try {
      return await readFile(path);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      throw new UsageError(`The body file ${path} cannot be read (${code}).`, { cause: error });
    }
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of io.stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks);
}

/** Runs something that may find a setting unusable, which here is the user's to mend. @throws UsageError */
export function asUsage<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof SigningError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

const OPTIONS = {
  scheme: { type: 'string' },
  secret: { type: 'string', multiple: true },
  id: { type: 'string' },
  timestamp: { type: 'string' },
  header: { type: 'string', multiple: true },
  'body-file': { type: 'string' },
  now: { type: 'string' },
  tolerance: { type: 'string' },
  'public-key': { type: 'string', multiple: true },
  uri: { type: 'string' },
  'header-name': { type: 'string' },
  prefix: { type: 'string' },
  encoding: { type: 'string' },
  digest: { type: 'string' },
  template: { type: 'string' },
  'timestamp-header': { type: 'string' },
  'id-header': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const CUSTOM_FLAGS = [
  'header-name',
  'prefix',
  'encoding',
  'digest',
  'template',
  'timestamp-header',
  'id-header',
] as const;

function oneOf<T extends string>(
  text: string | undefined,
  flag: string,
  accepted: readonly T[],
): T | undefined {
  if (text === undefined) return undefined;
  const found = accepted.find((value) => value === text);
  if (found === undefined)
    throw new UsageError(`The value of --${flag} must be one of ${accepted.join(', ')}.`);
  return found;
}

// The parser's own messages run over several sentences and may repeat a secret that was typed in the wrong place.
function explainParseError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const flag = /'(?:-\w, )?(--?[\w-]+)/.exec(error instanceof Error ? error.message : '')?.[1] ?? 'a flag';
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return `There is no flag ${flag} (see --help).`;
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
    return `The flag ${flag} is used wrongly: write --flag VALUE, --flag=VALUE where the value begins with a dash, and --json or --help alone.`;
  }
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') {
    return 'Only flags are accepted, and the body comes from --body-file or standard input (quote values with spaces).';
  }
  throw error;
}
