import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { openDataDirectory } from '../../gateway/installation/data-directory.ts';
import type { DataDirectory } from '../../gateway/installation/data-directory.ts';
import { findInstance } from '../../gateway/installation/instance.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

let dataDir: string;

beforeEach(async () => {
  const folder = await makeTempFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  dataDir = join(folder.path, 'nested', 'data');
});

function open(settings: { adminKey?: string; secretKey?: string } = {}): DataDirectory {
  return openDataDirectory({
    dataDir,
    adminKey: settings.adminKey ?? null,
    secretKey: settings.secretKey ?? null,
  });
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

const MODULE = pathToFileURL(
  join(import.meta.dirname, '..', '..', 'gateway', 'installation', 'data-directory.ts'),
).href;

/** A process that has the directory open, as another gateway would. */
async function openElsewhere(): Promise<{ pid: number; kill(): Promise<unknown> }> {
  const script = `
    const { openDataDirectory } = await import(${JSON.stringify(MODULE)});
    openDataDirectory({ dataDir: ${JSON.stringify(dataDir)}, adminKey: null, secretKey: null });
    console.log('open');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return {
    pid: child.pid!,
    kill() {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

describe('openDataDirectory', () => {
  it('makes the directory and its keys for the owner alone', () => {
    open().close();
    expect(modeOf(dataDir)).toBe(0o700);
    for (const name of ['admin-key', 'secret-key', 'flow-key', 'node-red-credential-secret']) {
      expect([name, modeOf(join(dataDir, name))]).toEqual([name, 0o600]);
    }
  });

  it('keeps its keys, each of its own', () => {
    const first = open();
    first.close();
    const second = open();
    second.close();
    expect(second.secrets).toEqual(first.secrets);
    expect(new Set(Object.values(first.secrets)).size).toBe(4);
    expect(first.secrets.adminKey).toMatch(/^sk-[\w-]{43}$/);
    expect(Buffer.from(first.secrets.secretKey, 'base64')).toHaveLength(32);
  });

  it('prefers the keys in the settings, and then writes none', () => {
    const directory = open({ adminKey: 'sk-from-the-settings', secretKey: 'k'.repeat(44) });
    directory.close();
    expect(directory.secrets).toMatchObject({ adminKey: 'sk-from-the-settings', secretKey: 'k'.repeat(44) });
    expect(existsSync(join(dataDir, 'admin-key'))).toBe(false);
    expect(existsSync(join(dataDir, 'secret-key'))).toBe(false);
  });

  it('makes a key file private that others could read', () => {
    open().close();
    chmodSync(join(dataDir, 'admin-key'), 0o644);
    open().close();
    expect(modeOf(join(dataDir, 'admin-key'))).toBe(0o600);
  });

  it('refuses an empty key file instead of making a new key', () => {
    open().close();
    writeFileSync(join(dataDir, 'secret-key'), '');
    expect(() => open()).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION',
        message: expect.stringContaining('secret-key is empty'),
      }),
    );
  });

  it('leaves no half-written file behind', () => {
    open().close();
    expect(readdirSync(dataDir).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('refuses a second opening while the first lasts, with the directory and the process', async () => {
    const other = await openElsewhere();
    expect(() => open()).toThrow(
      expect.objectContaining({
        code: 'ALREADY_RUNNING',
        message: expect.stringMatching(new RegExp(`${dataDir} \\(process ${other.pid}\\)`)),
      }),
    );
  });

  it('refuses a second opening in the same process too', () => {
    const first = open();
    expect(() => open()).toThrow(expect.objectContaining({ code: 'ALREADY_RUNNING' }));
    first.close();
    open().close();
  });

  it('opens at once after the other process was killed, and knows that it was', async () => {
    const other = await openElsewhere();
    await other.kill();
    const directory = open();
    expect(directory.wasKilled).toBe(true);
    directory.close();
    const next = open();
    expect(next.wasKilled).toBe(false);
    next.close();
  });

  it.each([
    ['below a file', () => join(dataDir, 'admin-key', 'data')],
    ['where a file is', () => join(dataDir, 'admin-key')],
    ['where nobody can make one', () => '/proc/hookline'],
  ])('says which setting to change where it cannot make the directory: %s', (_where, path) => {
    open().close();
    expect(() => openDataDirectory({ dataDir: path(), adminKey: null, secretKey: null })).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION',
        message: expect.stringContaining('HOOKLINE_DATA_DIR'),
      }),
    );
  });
});

describe('announce', () => {
  it('lets commands find the gateway until it is closed', () => {
    const directory = open();
    directory.announce('http://127.0.0.1:4000');
    expect(findInstance(dataDir)).toEqual({ url: 'http://127.0.0.1:4000', pid: process.pid });
    expect(modeOf(join(dataDir, 'instance.json'))).toBe(0o600);
    directory.close();
    expect(findInstance(dataDir)).toBeNull();
  });

  it('ends the time of first starts; a start that failed before does not', () => {
    open().close();
    const directory = open();
    expect(directory.isFirstStart).toBe(true);
    directory.announce('http://127.0.0.1:4000');
    directory.close();
    const next = open();
    expect(next.isFirstStart).toBe(false);
    next.close();
  });

  it('does not take half a file for a gateway', () => {
    const directory = open();
    writeFileSync(join(dataDir, 'instance.json'), '{"url":');
    expect(findInstance(dataDir)).toBeNull();
    directory.close();
  });
});

it('writes each key file in one piece, with a line break at its end', () => {
  open().close();
  expect(readFileSync(join(dataDir, 'flow-key'), 'utf8')).toMatch(/^sk-[\w-]{43}\n$/);
});
