import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';

import { systemClock } from '../../gateway/clock.ts';
import { startNodeRed } from '../../gateway/node-red/supervisor.ts';
import type { NodeRed } from '../../gateway/node-red/supervisor.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';
import { untilGone } from '../support/until-gone.ts';
import { ADMIN_KEY, READER_KEY, startFakeGateway } from './support/fake-gateway.ts';
import type { FakeGateway } from './support/fake-gateway.ts';
import { createLogTap } from './support/log-tap.ts';
import type { LogTap } from './support/log-tap.ts';

const CREDENTIAL_SECRET = 'what credentials are encrypted with';
const SLOW_MS = 60_000;

let gateway: FakeGateway;
let folder: TempFolder;
let tap: LogTap;
let nodeRed: NodeRed;
let environment: Record<string, string>;

/** Starts one with the tests' gateway and log; the caller stops it. */
function start(overrides: { editorPort?: number; dataDir?: string } = {}): Promise<NodeRed> {
  return startNodeRed({
    config: { host: '127.0.0.1', editorPort: overrides.editorPort ?? 0 },
    dataDir: overrides.dataDir ?? folder.path,
    gatewayUrl: gateway.url,
    secrets: { flowKey: 'sk-flow', credentialSecret: CREDENTIAL_SECRET },
    log: tap.log,
    clock: systemClock,
  });
}

function readEnvironment(pid: number): Record<string, string> {
  const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

/** What the editor's login page sends. */
function login(username: string, password: string): Promise<Response> {
  return fetch(`${nodeRed.url}/auth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_id: 'node-red-editor',
      grant_type: 'password',
      scope: '*',
      username,
      password,
    }),
  });
}

beforeAll(async () => {
  vi.stubEnv('HOOKLINE_ADMIN_KEY', 'sk-of-the-gateway-alone');
  vi.stubEnv('HOOKLINE_SECRET_KEY', 'of the gateway alone');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'somebody else’s');
  vi.stubEnv('NODE_OPTIONS', '');
  gateway = await startFakeGateway();
  folder = await makeTempFolder();
  tap = createLogTap();
  nodeRed = await start();
  const { pid } = await tap.next('Node-RED is up.');
  environment = readEnvironment(pid as number);
}, SLOW_MS);

afterAll(async () => {
  await nodeRed.stop();
  await gateway[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
});

describe('the supervised Node-RED', () => {
  it('is up when the start is over', () => {
    expect(nodeRed.isUp()).toBe(true);
  });

  it('shows its editor under our name, and nobody may put it in a frame', async () => {
    const response = await fetch(nodeRed.url);
    expect(await response.text()).toContain('<title>Hookline</title>');
    expect(response.headers.get('content-security-policy')).toBe("frame-ancestors 'self'");
  });

  it('has an environment with nothing in it but what it needs', () => {
    const passedOn = ['PATH', 'HOME', 'LANG', 'TZ', 'NODE_ENV'];
    const names = Object.keys(environment).filter(
      (name) => !passedOn.includes(name) && !name.startsWith('NODE_CHANNEL_'),
    );
    expect(names.sort()).toEqual(['HOOKLINE_FLOW_KEY', 'HOOKLINE_URL']);
    expect(environment).toMatchObject({ HOOKLINE_URL: gateway.url, HOOKLINE_FLOW_KEY: 'sk-flow' });
  });

  it('does not show its flows to who has not logged in', async () => {
    const response = await fetch(`${nodeRed.url}/flows`);
    expect(response.status).toBe(401);
  });

  it('lets a key with the scope admin in, whatever the user name', async () => {
    const response = await login('anybody', ADMIN_KEY);
    const { access_token: token } = (await response.json()) as { access_token: string };
    const flows = await fetch(`${nodeRed.url}/flows`, { headers: { authorization: `Bearer ${token}` } });
    expect(flows.status).toBe(200);
  });

  it.each([
    ['a key without the scope admin', READER_KEY],
    ['a key that the gateway does not know', 'sk-unknown'],
    ['an empty password', ''],
    ['the key that flows use', 'sk-flow'],
  ])('does not let in %s', async (name, password) => {
    const response = await login(name, password);
    expect(response.status).not.toBe(200);
    expect(await response.text()).not.toContain('access_token');
  });

  it('keeps the secret of its credentials in a file that only the owner can read', () => {
    const settings = join(folder.path, 'node-red', 'settings.cjs');
    expect(statSync(settings).mode & 0o777).toBe(0o600);
    expect(readFileSync(settings, 'utf8')).toContain(CREDENTIAL_SECRET);
    expect(Object.values(environment)).not.toContain(CREDENTIAL_SECRET);
  });
});

it('comes back by itself at the same place when it is killed', { timeout: SLOW_MS }, async () => {
  const own = await makeTempFolder();
  const log = createLogTap();
  const supervised = await startNodeRed({
    config: { host: '127.0.0.1', editorPort: 0 },
    dataDir: own.path,
    gatewayUrl: gateway.url,
    secrets: { flowKey: 'sk-flow', credentialSecret: CREDENTIAL_SECRET },
    log: log.log,
    clock: systemClock,
  });
  const first = await log.next('Node-RED is up.');
  process.kill(first['pid'] as number, 'SIGKILL');
  expect(await log.next('Node-RED ended; the gateway goes on without it.')).toMatchObject({
    level: 'error',
    signal: 'SIGKILL',
  });
  expect(await log.next('Node-RED is started again after a pause.')).toMatchObject({ pauseMs: 1000 });
  const second = await log.next('Node-RED is up.');
  expect(second['pid']).not.toBe(first['pid']);
  expect(second['url']).toBe(supervised.url);
  expect((await fetch(supervised.url)).status).toBe(200);
  await supervised.stop();
  await untilGone(supervised.url);
  await own[Symbol.asyncDispose]();
});

it('leaves the flows that people built alone', { timeout: SLOW_MS }, async () => {
  const own = await makeTempFolder();
  await (await start({ dataDir: own.path })).stop();
  const flowFile = join(own.path, 'node-red', 'flows.json');
  writeFileSync(flowFile, '[{"id":"theirs","type":"tab","label":"Theirs"}]');
  await (await start({ dataDir: own.path })).stop();
  expect(JSON.parse(readFileSync(flowFile, 'utf8'))).toEqual([
    { id: 'theirs', type: 'tab', label: 'Theirs' },
  ]);
  await own[Symbol.asyncDispose]();
});

it('ends when the process that looks after it is killed', { timeout: SLOW_MS }, async () => {
  const own = await makeTempFolder();
  const script = join(import.meta.dirname, 'support', 'supervising-process.ts');
  const supervising = spawn(process.execPath, [script, own.path], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void supervising.kill('SIGKILL'));
  const [url] = (await once(createInterface({ input: supervising.stdout }), 'line')) as [string];
  expect((await fetch(url)).status).toBe(200);
  supervising.kill('SIGKILL');
  await untilGone(url);
  await own[Symbol.asyncDispose]();
});

it('does not start where another program has the port, and names the setting', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  await expect(start({ editorPort: port })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringMatching(`port ${port} .*HOOKLINE_EDITOR_PORT`),
  });
  other.close();
});
