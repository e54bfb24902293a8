import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { runCli } from '../support/run-cli.ts';
import type { CliResult } from '../support/run-cli.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

let product: Product;
let folder: TempFolder;

beforeAll(async () => {
  [product, folder] = await Promise.all([startProduct({ command: 'serve' }), makeTempFolder()]);
});

afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** A command against the running gateway, which it finds through the data directory. */
function cli(...args: string[]): Promise<CliResult> {
  return runCli(args, { cwd: folder.path, env: { HOOKLINE_DATA_DIR: product.dataDir } });
}

/** All files below a folder. */
function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('hookline serve', () => {
  it('prints one line that begins with "ready" and holds its URL', async () => {
    expect(product.stdout.filter((line) => line.startsWith('ready'))).toEqual([
      `ready gateway ${product.url}`,
    ]);
    expect((await fetch(`${product.url}/readyz`)).status).toBe(200);
  });

  it('prints a login link before it, at the first start only', async () => {
    expect(product.stdout[0]).toMatch(/^To log in, open http:\/\/127\.0\.0\.1:\d+\/\S*#\S+ /);
    expect(product.stdout).toHaveLength(2);
    const dataDir = join(folder.path, 'started-twice');
    await (await startProduct({ command: 'serve', dataDir })).stop();
    const second = await startProduct({ command: 'serve', dataDir });
    expect(second.stdout).toEqual([second.readyLine]);
    await second[Symbol.asyncDispose]();
  });

  it('logs JSON to standard error', () => {
    for (const line of product.stderr) expect(JSON.parse(line)).toMatchObject({ level: expect.any(String) });
  });

  it('leaves nothing in the data directory for others to read', () => {
    expect(statSync(product.dataDir).mode & 0o777).toBe(0o700);
    const files = filesIn(product.dataDir);
    expect(files.map((file) => file.slice(product.dataDir.length + 1))).toEqual(
      expect.arrayContaining(['admin-key', 'secret-key', 'flow-key', 'instance.json', 'source-secrets.json']),
    );
    expect(files.filter((file) => (statSync(file).mode & 0o077) !== 0)).toEqual([]);
  });

  it('is refused a second time on the same data directory', async () => {
    const { code, stdout, stderr } = await runCli(['serve'], {
      cwd: folder.path,
      env: { HOOKLINE_DATA_DIR: product.dataDir, HOOKLINE_PORT: '0' },
    });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `hookline serve: Hookline already runs on the data directory ${product.dataDir} (process ${product.pid}). ` +
        'Stop that one, or set HOOKLINE_DATA_DIR to another directory.\n',
    );
  });

  it('is refused on a port that is taken, by the name of the setting', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, stdout, stderr } = await runCli(['serve'], {
      cwd: folder.path,
      env: { HOOKLINE_DATA_DIR: join(folder.path, 'taken'), HOOKLINE_PORT: String(port) },
    });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(new RegExp(`hookline serve: .*${port}.*HOOKLINE_PORT`));
    other.close();
  });

  it('is refused with a wrong setting before it touches anything', async () => {
    const dataDir = join(folder.path, 'never-made');
    const { code, stdout, stderr } = await runCli(['serve'], {
      cwd: folder.path,
      env: { HOOKLINE_DATA_DIR: dataDir, HOOKLINE_MAX_BODY: 'much' },
    });
    expect([code, stdout, existsSync(dataDir)]).toEqual([1, '', false]);
    expect(stderr).toMatch(/^hookline serve: HOOKLINE_MAX_BODY is "much"; accepted is .*\n$/);
  });

  it('stops with exit code 0 on SIGTERM and SIGINT, and withdraws its announcement', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const own = await startProduct({ command: 'serve', dataDir: join(folder.path, signal) });
      expect(await own.kill(signal)).toEqual({ code: 0, signal: null });
      expect(existsSync(join(own.dataDir, 'instance.json'))).toBe(false);
    }
  });

  it('starts again after it was killed', async () => {
    const dataDir = join(folder.path, 'killed');
    const first = await startProduct({ command: 'serve', dataDir });
    expect(await first.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    const second = await startProduct({ command: 'serve', dataDir });
    expect(second.adminKey).toBe(first.adminKey);
    await second[Symbol.asyncDispose]();
  });
});

describe('commands against the running gateway', () => {
  it('hookline login prints a link', async () => {
    const { code, stdout } = await cli('login');
    expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^${product.url}/\\S*#\\S+\n$`))]);
  });

  it('hookline keys makes a key that works until it is revoked', async () => {
    const created = await cli('keys', 'create', '--name', 'reader', '--scope', 'events:read', '--json');
    const { key, secret } = JSON.parse(created.stdout) as { key: { id: string }; secret: string };
    const viewer = async (): Promise<unknown> =>
      (
        await fetch(`${product.url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
          body: '{"query":"{ viewer { name scopes } }"}',
        })
      ).json();
    expect(await viewer()).toMatchObject({ data: { viewer: { name: 'reader', scopes: ['events:read'] } } });
    expect((await cli('keys', 'list')).stdout).toContain(`${key.id}\treader\tevents:read\tvalid`);
    expect((await cli('keys', 'revoke', key.id)).stdout).toBe(`${key.id} is revoked.\n`);
    expect(await viewer()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });

  it('hookline trigger publishes an event, the same id only once', async () => {
    for (const _again of [1, 2]) {
      const { code, stdout, stderr } = await cli(
        'trigger',
        'work_order.completed',
        '--id',
        'evt-of-this-test',
      );
      expect([code, stdout, stderr]).toEqual([0, 'evt-of-this-test work_order.completed\n', '']);
    }
  });

  it('hookline simulate finds the secrets and has every event accepted', async () => {
    const { code, stderr } = await cli('simulate', '--count', '100', '--speed', '1000000');
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^Played seed \d+: 100 events, 100 accepted\.\n$/),
    ]);
  });

  it('keeps secrets out of its log all the while', () => {
    const secrets = ['admin-key', 'secret-key', 'flow-key'].map((name) =>
      readFileSync(join(product.dataDir, name), 'utf8').trim(),
    );
    const sourceSecrets = Object.values(
      JSON.parse(readFileSync(join(product.dataDir, 'source-secrets.json'), 'utf8')) as Record<
        string,
        string
      >,
    );
    for (const secret of [...secrets, ...sourceSecrets])
      expect(product.stderr.join('\n')).not.toContain(secret);
  });
});
