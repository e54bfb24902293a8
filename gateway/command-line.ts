import { COMMANDS } from './commands/all-commands.ts';
import { CommandError } from './commands/command-error.ts';
import { UsageError } from './commands/command.ts';
import type { CommandIo } from './commands/command.ts';
import { HooklineError } from './errors.ts';
import { nearestName } from './settings/nearest-name.ts';
import { packageVersion } from './installation/package-root.ts';

/**
 * Runs `hookline` with its arguments. Everything that goes wrong ends as one sentence on `stderr`; only a fault
 * of ours adds the place in the code.
 * @returns the exit code: 0 done, 1 it could not be done, 2 used wrongly.
 */
export async function runCommandLine(args: readonly string[], io: CommandIo): Promise<number> {
  const [word = '--help', ...rest] = args;
  if (word === '--help' || word === '-h' || word === 'help') {
    io.stdout.write(await describeCommands());
    return 0;
  }
  if (word === '--version' || word === '-v') {
    io.stdout.write(`${packageVersion}\n`);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (!load) {
    io.stderr.write(`hookline: There is no command "${word}". ${suggestCommand(word)}\n`);
    return 2;
  }
  const { command } = await load();
  if (rest.includes('--help') || rest.includes('-h')) {
    io.stdout.write(command.usage);
    return 0;
  }
  try {
    return await command.run(rest, io);
  } catch (error) {
    return reportError(word, error, io);
  }
}

async function describeCommands(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map(async (load) => (await load()).command));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}\n`);
  return `hookline COMMAND [flags]

Webhooks and automation for the production line.

${lines.join('')}
  --help     print this; hookline COMMAND --help tells about one command
  --version  print the version
`;
}

function suggestCommand(word: string): string {
  const nearest = nearestName(word, Object.keys(COMMANDS));
  return nearest === null ? 'hookline --help lists the commands.' : `Did you mean ${nearest}?`;
}

function reportError(word: string, error: unknown, io: CommandIo): number {
  if (error instanceof UsageError || error instanceof CommandError || error instanceof HooklineError) {
    io.stderr.write(`hookline ${word}: ${error.message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
  io.stderr.write(
    `hookline ${word}: This is a fault of Hookline.\n${String((error as Error).stack ?? error)}\n`,
  );
  return 1;
}
