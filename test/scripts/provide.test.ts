import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { providePrograms } from '../../scripts/provide.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

let folder: TempFolder;

beforeEach(async () => {
  folder = await makeTempFolder();
  vi.stubEnv('PATH', folder.path);
  vi.spyOn(console, 'log').mockReturnValue();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await folder[Symbol.asyncDispose]();
});

/** A program of this name that runs this shell script. */
function install(name: string, script: string): void {
  writeFileSync(join(folder.path, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder.path, name), 0o755);
}

/** A shell, and what makes this process root as far as installing goes. */
function becomeRoot(): void {
  symlinkSync('/bin/touch', join(folder.path, 'touch'));
  symlinkSync('/bin/chmod', join(folder.path, 'chmod'));
  vi.spyOn(process as { getuid: () => number }, 'getuid').mockReturnValue(0);
}

it('does nothing where all programs are there', () => {
  install('redis-server', 'exit 0');
  providePrograms(['redis-server']);
  expect(console.log).not.toHaveBeenCalled();
});

it('installs what is missing, and says that it does', () => {
  becomeRoot();
  install(
    'apt-get',
    `if [ "$1" = install ]; then touch ${folder.path}/chromium && chmod +x ${folder.path}/chromium; fi`,
  );
  install('redis-server', 'exit 0');
  providePrograms(['redis-server', 'chromium']);
  expect(console.log).toHaveBeenCalledWith('The tests need chromium: installing with apt-get.');
});

it('stops with the exact command where it may not install', () => {
  install('apt-get', 'exit 0');
  vi.spyOn(process as { getuid: () => number }, 'getuid').mockReturnValue(1000);
  expect(() => providePrograms(['redis-server', 'chromium'])).toThrow(
    'sudo apt-get update && sudo apt-get install -y --no-install-recommends redis-server chromium',
  );
});

it('stops with the exact command where installing fails', () => {
  becomeRoot();
  install('apt-get', 'exit 100');
  expect(() => providePrograms(['chromium'])).toThrow(/apt-get update failed\. .*\n.*install -y .* chromium/);
});

it('stops where installing brought nothing', () => {
  becomeRoot();
  install('apt-get', 'exit 0');
  expect(() => providePrograms(['chromium'])).toThrow('did not bring chromium');
});
