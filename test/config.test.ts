import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { CONFIG_FILE, readConfig } from '../gateway/config.ts';
import { HooklineError } from '../gateway/errors.ts';
import { makeTempFolder } from './support/temp-folder.ts';

const folder = await makeTempFolder();
afterAll(() => folder[Symbol.asyncDispose]());

/** The error of settings that are refused. */
function refusal(env: Record<string, string>, cwd = folder.path): HooklineError {
  try {
    readConfig(env, cwd);
  } catch (error) {
    if (error instanceof HooklineError) return error;
    throw error;
  }
  throw new Error('The settings were accepted.');
}

/** A working directory with a configuration file in it. */
function folderWith(name: string, content: unknown): string {
  const path = join(folder.path, name);
  mkdirSync(path);
  writeFileSync(join(path, CONFIG_FILE), typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('readConfig', () => {
  it('has the promised defaults', () => {
    expect(readConfig({}, folder.path)).toMatchObject({
      host: '127.0.0.1',
      port: 4000,
      publicUrl: null,
      trustedProxies: [],
      editorPort: 1880,
      dataDir: join(folder.path, '.hookline'),
      storeUrl: 'sqlite:',
      adminKey: null,
      secretKey: null,
      sourceSecrets: {},
      egressAllow: [],
      proxy: null,
      caFile: null,
      corsOrigins: [],
      maxBodyBytes: 1_048_576,
      retentionMs: 30 * 86_400_000,
      redact: ['operator.name', 'inspectedBy'],
    });
  });

  it('retries after 0 s, 5 s, 30 s, 5 min and 30 min, then seven times after a day', () => {
    const { retryScheduleMs } = readConfig({}, folder.path);
    expect(retryScheduleMs).toEqual([
      0,
      5000,
      30_000,
      300_000,
      1_800_000,
      ...Array<number>(7).fill(86_400_000),
    ]);
  });

  it('takes the system’s time zone where none is set', () => {
    const { timezone } = readConfig({}, folder.path);
    expect(timezone).toBe(new Intl.DateTimeFormat().resolvedOptions().timeZone);
  });

  it('reads every setting from the environment', () => {
    const config = readConfig(
      {
        HOOKLINE_HOST: '[::1]',
        HOOKLINE_PORT: '0',
        HOOKLINE_PUBLIC_URL: 'https://plant.example.com/hookline/',
        HOOKLINE_TRUSTED_PROXIES: '10.0.0.5, fd00::/8',
        HOOKLINE_EDITOR_PORT: '1881',
        HOOKLINE_DATA_DIR: 'data',
        HOOKLINE_STORE_URL: 'sqlite:',
        HOOKLINE_ADMIN_KEY: 'sk-0123456789abcdef',
        HOOKLINE_SECRET_KEY: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
        WEBHOOK_SECRET: 'a secret of the MES',
        HOOKLINE_SOURCE_MACHINEMETRICS_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        HOOKLINE_EGRESS_ALLOW: '127.0.0.0/8,10.20.0.0/16',
        HOOKLINE_PROXY: 'http://user:password@proxy.example.com:3128',
        HOOKLINE_CA_FILE: 'plant.pem',
        HOOKLINE_CORS_ORIGINS: 'https://dashboards.example.com, http://localhost:5173/',
        HOOKLINE_RETRY_SCHEDULE: '0s, 250ms, 1.5h',
        HOOKLINE_MAX_BODY: '64KiB',
        HOOKLINE_RETENTION: '7d',
        HOOKLINE_TIMEZONE: 'Europe/Vienna',
        HOOKLINE_REDACT: 'operator.name',
      },
      folder.path,
    );
    expect(config).toEqual({
      host: '::1',
      port: 0,
      publicUrl: 'https://plant.example.com/hookline',
      trustedProxies: ['10.0.0.5/32', 'fd00::/8'],
      editorPort: 1881,
      dataDir: join(folder.path, 'data'),
      storeUrl: 'sqlite:',
      adminKey: 'sk-0123456789abcdef',
      secretKey: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
      sourceSecrets: { mes: 'a secret of the MES', machinemetrics: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
      egressAllow: ['127.0.0.0/8', '10.20.0.0/16'],
      proxy: 'http://user:password@proxy.example.com:3128',
      caFile: join(folder.path, 'plant.pem'),
      corsOrigins: ['https://dashboards.example.com', 'http://localhost:5173'],
      retryScheduleMs: [0, 250, 5_400_000],
      maxBodyBytes: 65_536,
      retentionMs: 7 * 86_400_000,
      timezone: 'Europe/Vienna',
      redact: ['operator.name'],
    });
  });

  it('cannot be changed afterwards', () => {
    const config = readConfig({}, folder.path);
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
    expect(() => (config.redact as string[]).push('more')).toThrow(TypeError);
  });

  it('takes an empty variable as not set, and an empty list as empty', () => {
    const config = readConfig({ HOOKLINE_PORT: '', WEBHOOK_SECRET: '', HOOKLINE_REDACT: '' }, folder.path);
    expect(config).toMatchObject({ port: 4000, sourceSecrets: {}, redact: [] });
  });

  it('leaves other programs’ variables alone, and its own nodes’', () => {
    const env = {
      PORT: 'x',
      PATH: '/bin',
      HOOKLINE_URL: 'http://127.0.0.1:1',
      HOOKLINE_FLOW_KEY: 'k',
      HOOKLINE_SECRET: 's',
    };
    expect(() => readConfig(env, folder.path)).not.toThrow();
  });

  it.each([
    ['HOOKLINE_PORT', 'abc', 'a whole number from 0 to 65535'],
    ['HOOKLINE_PORT', '70000', 'a whole number from 0 to 65535'],
    ['HOOKLINE_EDITOR_PORT', '-1', 'a whole number from 0 to 65535'],
    ['HOOKLINE_HOST', 'http://localhost', 'a host name or an IP address'],
    ['HOOKLINE_PUBLIC_URL', 'plant.example.com', 'an http or https URL'],
    ['HOOKLINE_PUBLIC_URL', 'https://user:pw@plant.example.com', 'an http or https URL'],
    ['HOOKLINE_TRUSTED_PROXIES', '10.0.0.0/33', 'a comma list of IP addresses and CIDRs'],
    ['HOOKLINE_CORS_ORIGINS', '*', 'a comma list of origins'],
    ['HOOKLINE_CORS_ORIGINS', 'https://a.example.com/path', 'a comma list of origins'],
    ['HOOKLINE_RETRY_SCHEDULE', '0s,soon', 'a comma list of 1 to 50 pauses'],
    ['HOOKLINE_RETRY_SCHEDULE', '31d', 'a comma list of 1 to 50 pauses'],
    ['HOOKLINE_RETRY_SCHEDULE', '0s,,5s', 'a comma list of 1 to 50 pauses'],
    ['HOOKLINE_MAX_BODY', '1 MiB', 'a size from 1KiB to 64MiB'],
    ['HOOKLINE_MAX_BODY', '1GiB', 'a size from 1KiB to 64MiB'],
    ['HOOKLINE_RETENTION', '30', 'a duration from 1h to 3650d'],
    ['HOOKLINE_RETENTION', '1s', 'a duration from 1h to 3650d'],
    ['HOOKLINE_TIMEZONE', 'Vienna', 'the name of a time zone'],
    ['HOOKLINE_REDACT', 'operator name', 'a comma list of dotted paths'],
  ])('refuses %s=%s with the name, the value and what is accepted', (name, value, accepted) => {
    const error = refusal({ [name]: value });
    expect(error.code).toBe('CONFIGURATION');
    expect(error.message).toMatch(`${name} is "${value}"; accepted is ${accepted}`);
    expect(error.details).toMatchObject({ setting: name });
  });

  it.each([
    'HOOKLINE_ADMIN_KEY',
    'HOOKLINE_SECRET_KEY',
    'WEBHOOK_SECRET',
    'HOOKLINE_SOURCE_MACHINEMETRICS_SECRET',
  ])('refuses a short %s without repeating it', (name) => {
    const error = refusal({ [name]: 'tiny-secret' });
    expect(error.message).toMatch(`${name} has a value that is not acceptable; accepted is `);
    expect(error.message).not.toContain('tiny-secret');
  });

  it('says that this build does not run on Redis, without repeating the password', () => {
    const error = refusal({ HOOKLINE_STORE_URL: 'redis://:hunter2@redis.example.com' });
    expect(error.message).toContain('does not run on Redis yet');
    expect(error.message).not.toContain('hunter2');
  });

  it('suggests the nearest name for one that it does not know', () => {
    const error = refusal({ HOOKLINE_PRT: '4000' });
    expect(error.message).toBe(
      'HOOKLINE_PRT in the environment is not the name of a setting. Did you mean HOOKLINE_PORT?',
    );
  });

  it('refuses an unknown name that resembles none, and says where the list is', () => {
    expect(refusal({ HOOKLINE_CONVEYOR_BELT_COLOUR: 'red' }).message).toContain('`hookline start --help`');
  });

  it('names the setting that holds the secret of the source mes', () => {
    expect(refusal({ HOOKLINE_SOURCE_MES_SECRET: 'x'.repeat(20) }).message).toContain('is WEBHOOK_SECRET');
  });
});

describe('hookline.config.json', () => {
  it('holds settings by the same names, with numbers and lists', () => {
    const cwd = folderWith('plain', {
      HOOKLINE_PORT: 4100,
      HOOKLINE_EGRESS_ALLOW: ['127.0.0.0/8', '10.0.0.0/8'],
      HOOKLINE_RETENTION: '2d',
    });
    expect(readConfig({}, cwd)).toMatchObject({
      port: 4100,
      egressAllow: ['127.0.0.0/8', '10.0.0.0/8'],
      retentionMs: 2 * 86_400_000,
    });
  });

  it('gives way to the environment', () => {
    const cwd = folderWith('overruled', { HOOKLINE_PORT: 4100, HOOKLINE_HOST: 'localhost' });
    expect(readConfig({ HOOKLINE_PORT: '4200' }, cwd)).toMatchObject({ port: 4200, host: 'localhost' });
  });

  it('is refused with its path where it is not JSON, without repeating what is in it', () => {
    const error = refusal({}, folderWith('broken', '{"WEBHOOK_SECRET": "hunter2hunter2hunter2" oops'));
    expect(error.message).toContain(CONFIG_FILE);
    expect(error.message).not.toContain('hunter2');
  });

  it.each([
    ['a list', ['HOOKLINE_PORT'], 'holds no object'],
    ['a name that is not known', { PORT: 4000 }, 'PORT in '],
    ['a nested value', { HOOKLINE_PORT: { value: 1 } }, 'HOOKLINE_PORT in '],
    ['a wrong value', { HOOKLINE_PORT: 'x' }, 'HOOKLINE_PORT is "x"'],
  ])('is refused where it holds %s', (name, content, message) => {
    expect(refusal({}, folderWith(name, content)).message).toContain(message);
  });
});
