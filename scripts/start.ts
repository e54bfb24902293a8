import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { build } from './build.ts';

/*
 * `npm start`: builds what is stale, then is the command line, in this same process, so that a signal sent to it
 * reaches what it started. The command line itself says when this Node.js is too old.
 */
// npm ends its shell at SIGTERM and not what runs in it: then nobody is left to stop us but ourselves.
if (process.env['npm_lifecycle_event'] !== undefined) {
  const startedBy = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === startedBy) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500).unref();
}
await build({ onlyIfStale: true });
await import(pathToFileURL(join(import.meta.dirname, '..', 'dist', 'gateway', 'cli.js')).href);
