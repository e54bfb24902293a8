import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, symlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { childEnv } from '../support/product.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SLOW_MS = 60_000;

let folder: TempFolder;

/** What is published, in a folder with nothing else around it: no dependency can be found from there. */
beforeAll(async () => {
  folder = await makeTempFolder();
  const home = join(folder.path, 'node_modules', '@hookline', 'node-red');
  await mkdir(home, { recursive: true });
  cpSync(join(ROOT, 'dist'), join(home, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(home, 'package.json'));
});

afterAll(() => folder[Symbol.asyncDispose]());

function run(command: string): ReturnType<typeof spawn> {
  const cli = join(folder.path, 'node_modules', '@hookline', 'node-red', 'dist', 'gateway', 'cli.js');
  const env = { HOOKLINE_PORT: '0', HOOKLINE_EDITOR_PORT: '0', HOOKLINE_DATA_DIR: join(folder.path, 'data') };
  return spawn(process.execPath, [cli, command], {
    cwd: folder.path,
    env: childEnv(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Waits for the ready line, stops the product, and returns that line. */
async function readyLineOf(command: string): Promise<string> {
  const child = run(command);
  const exited = once(child, 'exit');
  child.stderr!.resume();
  let ready = '';
  for await (const line of createInterface({ input: child.stdout! })) {
    if (!line.startsWith('ready ')) continue;
    ready = line;
    child.kill('SIGTERM');
  }
  expect(await exited).toEqual([0, null]);
  return ready;
}

it('serves without a single dependency', async () => {
  expect(await readyLineOf('serve')).toMatch(/^ready gateway http:\/\/127\.0\.0\.1:\d+$/);
});

it('says the command that adds Node-RED where there is none', async () => {
  const child = run('start');
  const [stderr, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
  expect(code).toBe(1);
  expect(stderr).toContain('hookline start: Node-RED is not installed; add it with `npm install node-red`');
});

it('starts the Node-RED that is installed beside it', { timeout: SLOW_MS }, async () => {
  symlinkSync(join(ROOT, 'node_modules', 'node-red'), join(folder.path, 'node_modules', 'node-red'));
  expect(await readyLineOf('start')).toMatch(/ editor http:\/\/127\.0\.0\.1:\d+$/);
});
