import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { runCli } from '../support/run-cli.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';
import { untilGone } from '../support/until-gone.ts';

const SLOW_MS = 60_000;

let product: Product;
let folder: TempFolder;

beforeAll(async () => {
  folder = await makeTempFolder();
  product = await startProduct();
}, SLOW_MS);

afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** What the editor's login page sends; the answer's status. */
async function login(password: string): Promise<number> {
  const response = await fetch(`${product.editorUrl}/auth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_id: 'node-red-editor',
      grant_type: 'password',
      scope: '*',
      username: 'me',
      password,
    }),
  });
  await response.body?.cancel();
  return response.status;
}

/** The process that is Node-RED, as the log says. */
function nodeRedPid(): number {
  const up = product.stderr
    .map((line) => JSON.parse(line) as { msg: string; pid: number })
    .findLast(({ msg }) => msg === 'Node-RED is up.');
  return up!.pid;
}

it('prints one ready line with both URLs, and both answer', async () => {
  expect(product.stdout.filter((line) => line.startsWith('ready'))).toEqual([
    `ready gateway ${product.url} editor ${product.editorUrl}`,
  ]);
  expect((await fetch(`${product.url}/healthz`)).status).toBe(200);
  expect((await fetch(product.editorUrl!)).status).toBe(200);
});

it('starts Node-RED with the example flows and without an error', () => {
  const flows = JSON.parse(readFileSync(join(product.dataDir, 'node-red', 'flows.json'), 'utf8')) as {
    type: string;
  }[];
  expect(flows.filter(({ type }) => type === 'tab').length).toBeGreaterThan(1);
  const errors = product.stderr.filter((line) =>
    /"level":"(error|fatal)"|Cannot find module|Waiting for missing types/.test(line),
  );
  expect(errors).toEqual([]);
});

it('asks for an admin key in the editor', async () => {
  expect((await fetch(`${product.editorUrl}/flows`)).status).toBe(401);
  expect(await login('sk-wrong')).toBe(403);
  expect(await login(product.adminKey)).toBe(200);
});

it('keeps its keys from Node-RED', () => {
  const environment = readFileSync(`/proc/${nodeRedPid()}/environ`, 'utf8');
  const secretKey = readFileSync(join(product.dataDir, 'secret-key'), 'utf8').trim();
  expect(environment).not.toContain(product.adminKey);
  expect(environment).not.toContain(secretKey);
  expect(environment).not.toContain('HOOKLINE_DATA_DIR');
});

it('goes on without Node-RED when that is killed', async () => {
  process.kill(nodeRedPid(), 'SIGKILL');
  await untilGone(product.editorUrl!);
  expect((await fetch(`${product.url}/readyz`)).status).toBe(200);
});

it('takes Node-RED along when it is stopped, and exits 0', { timeout: SLOW_MS }, async () => {
  const own = await startProduct({ dataDir: join(folder.path, 'stopped') });
  expect(await own.stop()).toEqual({ code: 0, signal: null });
  await untilGone(own.editorUrl!, 1000);
});

it(
  'takes Node-RED along when it is killed, and starts again at once on the same ports',
  { timeout: SLOW_MS },
  async () => {
    const dataDir = join(folder.path, 'killed');
    const first = await startProduct({ dataDir });
    await first.kill('SIGKILL');
    const ports = {
      HOOKLINE_PORT: new URL(first.url).port,
      HOOKLINE_EDITOR_PORT: new URL(first.editorUrl!).port,
    };
    const second = await startProduct({ dataDir, env: ports });
    expect([second.url, second.editorUrl]).toEqual([first.url, first.editorUrl]);
    await second[Symbol.asyncDispose]();
  },
);

it('is refused where the editor’s port is taken, and leaves nothing running', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const dataDir = join(folder.path, 'taken');
  const { code, stdout, stderr } = await runCli(['start'], {
    cwd: folder.path,
    env: { HOOKLINE_DATA_DIR: dataDir, HOOKLINE_PORT: '0', HOOKLINE_EDITOR_PORT: String(port) },
  });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(`hookline start: Another program listens on port ${port} of 127.0.0.1`);
  expect(existsSync(join(dataDir, 'instance.json'))).toBe(false);
  other.close();
});
