import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { packageRoot } from '../installation/package-root.ts';
import { writePrivateFile } from '../installation/secret-file.ts';
import type { ChildValues } from './child-settings.ts';
import { assembleStarterFlows } from './starter-flows.ts';

/** Node-RED's own folder, and the settings file in it. */
export interface UserDirectory {
  path: string;
  settingsFile: string;
}

/** In the bundle all code lies in one folder, compiled. */
const SETTINGS_MODULE = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './child-settings.ts' : './child-settings.js', import.meta.url),
);

/**
 * Makes Node-RED's folder in the data directory ready for a start. The settings are written anew each time; the
 * example flows only where there are no flows yet, so that what people built is never touched.
 */
export function prepareUserDirectory(
  dataDir: string,
  values: Omit<ChildValues, 'packageRoot'>,
): UserDirectory {
  const path = join(dataDir, 'node-red');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const settingsFile = join(path, 'settings.cjs');
  writePrivateFile(settingsFile, settingsSource({ ...values, packageRoot }));
  // Below a folder of ES modules, Node-RED's own files would be taken for such.
  writeIfAbsent(join(path, 'package.json'), {
    name: 'node-red-project',
    description: 'The nodes that were added to this Node-RED',
    version: '0.0.1',
    private: true,
    type: 'commonjs',
  });
  const flows = assembleStarterFlows(join(packageRoot, 'dist', 'flows'));
  if (flows.length > 0) writeIfAbsent(join(path, 'flows.json'), flows);
  return { path, settingsFile };
}

function settingsSource(values: ChildValues): string {
  return [
    '// Hookline writes this file at each start; what is changed here is lost.',
    `const { createChildSettings, endWithParent } = require(${JSON.stringify(SETTINGS_MODULE)});`,
    'endWithParent();',
    `module.exports = createChildSettings(${JSON.stringify(values, null, 2)});`,
    '',
  ].join('\n');
}

function writeIfAbsent(path: string, value: unknown): void {
  if (!existsSync(path)) writePrivateFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
