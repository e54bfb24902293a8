import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { build } from './build.ts';

/*
 * `npm start`: builds what is stale, then is the command line, in this same process, so that a signal sent to it
 * reaches what it started. The command line itself says when this Node.js is too old.
 */
await build({ onlyIfStale: true });
await import(pathToFileURL(join(import.meta.dirname, '..', 'dist', 'gateway', 'cli.js')).href);
