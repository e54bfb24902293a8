import { createRequire } from 'node:module';
import { join } from 'node:path';

import { HooklineError } from '../errors.ts';

/**
 * The script that runs Node-RED: the one installed beside this package, else the one beside the working directory.
 * It is no dependency of ours, because a node pack must not drag a second Node-RED into somebody's Node-RED.
 * @throws NOT_FOUND with the command that adds it.
 */
export function findNodeRed(folders: readonly string[]): string {
  for (const folder of folders) {
    try {
      return createRequire(join(folder, 'package.json')).resolve('node-red/red.js');
    } catch {
      // Not here: the next folder may have it.
    }
  }
  throw new HooklineError(
    'NOT_FOUND',
    'Node-RED is not installed; add it with `npm install node-red`, or run the gateway alone with `hookline serve`.',
  );
}
