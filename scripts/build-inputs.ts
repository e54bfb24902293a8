import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What the build is made from. A change in any of these makes it stale; tests and documents do not. */
const INPUT_PATHS = [
  'gateway',
  'nodes',
  'flows',
  'scripts/build.ts',
  'scripts/build-inputs.ts',
  'scripts/build-outputs.ts',
  'package-lock.json',
];

/**
 * A digest over the names and contents of everything the build is made from.
 * Contents, not times: switching branches back and forth leaves it the same.
 */
export function digestInputs(root: string): string {
  const digest = createHash('sha256');
  for (const file of INPUT_PATHS.flatMap((path) => listFiles(join(root, path)))) {
    const content = readFileSync(file);
    digest.update(`${relative(root, file)}\0${content.length}\0`).update(content);
  }
  return digest.digest('hex');
}

/**
 * All files below a path, in a stable order; the path itself where it is a file, none where it does not exist.
 * Names that begin with a dot are not ours.
 */
export function listFiles(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => !name.startsWith('.'))
    .sort()
    .flatMap((name) => listFiles(join(path, name)));
}
