import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Programs that tests run and npm does not bring; the Debian packages have the same names. */
const PROGRAMS = ['redis-server', 'chromium'] as const;

/**
 * Sees to it that the programs the tests need are there: installs what is missing through apt-get where this
 * user may, and says so.
 * @throws with the exact command where it may not, or where installing failed.
 */
export function providePrograms(programs: readonly string[] = PROGRAMS): void {
  const missing = programs.filter((program) => !findProgram(program));
  if (missing.length === 0) return;
  const packages = missing.join(' ');
  const byHand = `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages}`;
  const prefix = rootPrefix();
  if (!findProgram('apt-get') || !prefix) {
    throw new Error(`The tests need ${missing.join(' and ')}. Install them, for example with:\n  ${byHand}`);
  }
  console.log(`The tests need ${missing.join(' and ')}: installing with apt-get.`);
  const steps = [['update'], ['install', '-y', '--no-install-recommends', ...missing]];
  for (const step of steps) {
    const [command = '', ...args] = [...prefix, 'apt-get', ...step];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env });
    if (status !== 0) throw new Error(`apt-get ${step.join(' ')} failed. Install by hand:\n  ${byHand}`);
  }
  const still = missing.filter((program) => !findProgram(program));
  if (still.length > 0) throw new Error(`apt-get did not bring ${still.join(' and ')}. Install by hand.`);
}

/** What to put before a command that needs root; null where this user cannot be root without a password. */
function rootPrefix(): string[] | null {
  if (process.getuid?.() === 0) return [];
  if (!findProgram('sudo')) return null;
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : null;
}

function findProgram(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    providePrograms();
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
