/** What a command may use of the world; everything else comes in its arguments. */
export interface CommandIo {
  stdin: NodeJS.ReadableStream;
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
  /** Unix milliseconds. */
  now: () => number;
  /** @default process.env */
  env?: Readonly<Record<string, string | undefined>>;
}

/** One word after `hookline`. */
export interface Command {
  /** The word itself. */
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** What `--help` prints; ends in a line break. */
  usage: string;
  /**
   * @param args what follows the word.
   * @returns the exit code: 0 done, 1 the answer is no, 2 used wrongly (one clear sentence on `stderr`).
   */
  run(args: string[], io: CommandIo): Promise<number>;
}

/** The command was used wrongly; the message is the one sentence that is printed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Runs a command's body; a `UsageError` becomes its sentence on `stderr` and exit code 2. */
export async function reportUsageErrors(
  name: string,
  io: CommandIo,
  run: () => Promise<number>,
): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`hookline ${name}: ${error.message}\n`);
    return 2;
  }
}
