import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findEventType } from '../../gateway/events/catalog.ts';
import { NOW, runInProcess } from './support/run-in-process.ts';
import { ADMIN_KEY, startScriptedGateway } from './support/scripted-gateway.ts';
import type { ScriptedGateway } from './support/scripted-gateway.ts';

let gateway: ScriptedGateway;
beforeEach(async () => {
  gateway = await startScriptedGateway();
});
afterEach(() => gateway[Symbol.asyncDispose]());

const answerData = (data: unknown): void => {
  gateway.answer = { status: 200, body: { data } };
};

describe('hookline login', () => {
  it('asks the gateway of the data directory with the admin key and prints the link', async () => {
    gateway.answer = { status: 200, body: { url: 'http://127.0.0.1:4000/#code=abc' } };
    const outcome = await runInProcess(['login'], gateway.env);
    expect(outcome).toEqual({ code: 0, stdout: 'http://127.0.0.1:4000/#code=abc\n', stderr: '' });
    expect(gateway.seen).toMatchObject([
      { path: '/login-link', headers: { authorization: `Bearer ${ADMIN_KEY}` } },
    ]);
  });

  it('prints JSON when asked', async () => {
    gateway.answer = { status: 200, body: { url: 'http://x/#code=abc' } };
    expect((await runInProcess(['login', '--json'], gateway.env)).stdout).toBe(
      '{"url":"http://x/#code=abc"}\n',
    );
  });

  it('prefers the key in the settings', async () => {
    gateway.answer = { status: 200, body: { url: 'http://x' } };
    await runInProcess(['login', '--url', `${gateway.url}/`], { HOOKLINE_ADMIN_KEY: 'sk-from-the-settings' });
    expect(gateway.seen[0]?.headers['authorization']).toBe('Bearer sk-from-the-settings');
  });

  it('repeats what the gateway says against it', async () => {
    gateway.answer = {
      status: 401,
      body: { error: { code: 'UNAUTHENTICATED', message: 'The key is not valid.' } },
    };
    expect(await runInProcess(['login'], gateway.env)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'hookline login: The key is not valid.\n',
    });
  });

  it('says so where nobody answers, and what to do', async () => {
    await gateway[Symbol.asyncDispose]();
    const { code, stderr } = await runInProcess(['login', '--url', gateway.url], {
      HOOKLINE_ADMIN_KEY: 'sk-from-the-settings',
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`No gateway answers at ${gateway.url}`);
    expect(stderr).toContain('`hookline start`');
  });

  it('says so where no gateway runs on the data directory', async () => {
    const { code, stderr } = await runInProcess(['login'], {
      HOOKLINE_DATA_DIR: join(gateway.dataDir, 'nowhere'),
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`No gateway runs on the data directory ${join(gateway.dataDir, 'nowhere')}`);
  });

  it('says so where what answers is no gateway', async () => {
    gateway.answer = { status: 502, body: undefined };
    expect((await runInProcess(['login'], gateway.env)).stderr).toContain(
      'is no gateway of Hookline (status 502)',
    );
  });
});

describe('hookline trigger', () => {
  it('publishes the catalogue’s example where no data is given', async () => {
    answerData({ publishEvent: { id: 'evt_1', type: 'work_order.created' } });
    const outcome = await runInProcess(['trigger', 'work_order.created'], gateway.env);
    expect(outcome).toEqual({ code: 0, stdout: 'evt_1 work_order.created\n', stderr: '' });
    const example = findEventType('work_order.created')?.example.data;
    expect(gateway.seen[0]?.body.variables).toEqual({ input: { type: 'work_order.created', data: example } });
  });

  it('passes data, id and the test mark on', async () => {
    answerData({ publishEvent: { id: 'evt-7', type: 'press.jammed' } });
    await runInProcess(
      ['trigger', 'press.jammed', '--data', '{"count":1}', '--id', 'evt-7', '--test'],
      gateway.env,
    );
    expect(gateway.seen[0]?.body.variables).toEqual({
      input: { type: 'press.jammed', data: { count: 1 }, id: 'evt-7', test: true },
    });
  });

  it('reads data from a file', async () => {
    const file = join(gateway.dataDir, 'data.json');
    writeFileSync(file, '{"from":"a file"}');
    answerData({ publishEvent: { id: 'evt-7', type: 'press.jammed' } });
    await runInProcess(['trigger', 'press.jammed', '--data', `@${file}`], gateway.env);
    expect(gateway.seen[0]?.body.variables).toMatchObject({ input: { data: { from: 'a file' } } });
  });

  it('prints the event as JSON when asked', async () => {
    answerData({ publishEvent: { id: 'evt-7', type: 'press.jammed', data: {} } });
    const { stdout } = await runInProcess(['trigger', 'press.jammed', '--data', '{}', '--json'], gateway.env);
    expect(JSON.parse(stdout)).toEqual({ id: 'evt-7', type: 'press.jammed', data: {} });
  });

  it('repeats what GraphQL says against it', async () => {
    gateway.answer = {
      status: 200,
      body: { data: null, errors: [{ message: 'The key lacks the scope events:publish.' }] },
    };
    const { code, stderr } = await runInProcess(['trigger', 'work_order.created'], gateway.env);
    expect([code, stderr]).toEqual([1, 'hookline trigger: The key lacks the scope events:publish.\n']);
  });

  it.each([
    [['trigger'], 'Give the event type'],
    [['trigger', 'work_order.creted'], 'Did you mean work_order.created?'],
    [['trigger', 'press.jammed'], 'has no event type "press.jammed"'],
    [['trigger', 'a', 'b'], 'There is a word too many'],
    [['trigger', 'a', '--data', '{broken'], '--data is not JSON'],
    [['trigger', 'a', '--data', '@/no/such/file'], 'cannot be read (ENOENT)'],
    [['trigger', 'a', '--what'], 'There is no flag --what'],
    [['trigger', 'a', '--data'], 'The flag --data is used wrongly'],
  ])('refuses %j with one sentence', async (args, message) => {
    const { code, stderr } = await runInProcess(args, gateway.env);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(gateway.seen).toEqual([]);
  });
});

describe('hookline keys', () => {
  const key = {
    id: 'key_1',
    name: 'dashboard',
    scopes: ['events:read', 'webhooks:read'],
    createdAt: '2026-01-01T00:00:00.000Z',
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
  };

  it('creates one and shows its secret once', async () => {
    answerData({ createKey: { key, secret: 'sk-new' } });
    const args = [
      'keys',
      'create',
      '--name',
      'dashboard',
      '--scope',
      'events:read,webhooks:read',
      '--expires',
      '30d',
    ];
    const { code, stdout } = await runInProcess(args, gateway.env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^sk-new\n/);
    expect(gateway.seen[0]?.body.variables).toEqual({
      input: {
        name: 'dashboard',
        scopes: ['events:read', 'webhooks:read'],
        expiresAt: new Date(NOW + 30 * 86_400_000).toISOString(),
      },
    });
  });

  it('lists them with their state, one a line', async () => {
    const keys = [
      key,
      { ...key, id: 'key_2', expiresAt: '2026-01-15T07:59:59.000Z' },
      { ...key, id: 'key_3', expiresAt: '2027-01-01T00:00:00.000Z', lastUsedAt: '2026-01-14T00:00:00.000Z' },
      { ...key, id: 'key_4', revokedAt: '2026-01-02T00:00:00.000Z' },
    ];
    answerData({ keys });
    const { stdout } = await runInProcess(['keys', 'list'], gateway.env);
    expect(
      stdout.split('\n').map((line) => line.split('\t').filter((_, column) => column !== 1 && column !== 2)),
    ).toEqual([
      ['key_1', 'valid', 'never used'],
      ['key_2', 'expired 2026-01-15T07:59:59.000Z', 'never used'],
      ['key_3', 'valid until 2027-01-01T00:00:00.000Z', 'last used 2026-01-14T00:00:00.000Z'],
      ['key_4', 'revoked 2026-01-02T00:00:00.000Z', 'never used'],
      [''],
    ]);
    expect(JSON.parse((await runInProcess(['keys', 'list', '--json'], gateway.env)).stdout)).toEqual(keys);
  });

  it('revokes one', async () => {
    answerData({ revokeKey: { ...key, revokedAt: '2026-01-15T08:00:00.000Z' } });
    const { stdout } = await runInProcess(['keys', 'revoke', 'key_1'], gateway.env);
    expect(stdout).toBe('key_1 is revoked.\n');
    expect(gateway.seen[0]?.body.variables).toEqual({ id: 'key_1' });
  });

  it.each([
    [['keys'], 'create, list or revoke'],
    [['keys', 'drop'], 'create, list or revoke'],
    [['keys', 'create', '--scope', 'admin'], '--name'],
    [['keys', 'create', '--name', 'x'], '--scope'],
    [['keys', 'create', '--name', 'x', '--scope', 'everything'], 'There is no scope "everything"'],
    [['keys', 'create', '--name', 'x', '--scope', 'admin', '--expires', 'soon'], '--expires must be'],
    [['keys', 'create', 'key_1', '--name', 'x', '--scope', 'admin'], 'Only `keys revoke` takes an id'],
    [['keys', 'list', '--name', 'x'], 'The flag --name only goes with `keys create`'],
    [['keys', 'revoke'], 'Give the id of the key'],
  ])('refuses %j with one sentence', async (args, message) => {
    const { code, stderr } = await runInProcess(args, gateway.env);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(gateway.seen).toEqual([]);
  });
});
