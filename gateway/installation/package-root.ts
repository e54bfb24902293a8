import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where this package lies: the folder of its package.json, for sources and for the bundle alike. */
export const packageRoot: string = findPackageRoot(import.meta.dirname);

/** The version in package.json. */
export const packageVersion: string = (
  JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
).version;

function findPackageRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: string };
      if (manifest.name === '@hookline/node-red') return folder;
    } catch {
      // No package.json here: look further up.
    }
    if (folder === dirname(folder))
      throw new Error(`There is no package.json of Hookline above ${start}; install it again.`);
  }
}
