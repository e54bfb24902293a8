import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { HooklineError } from './errors.ts';
import { nearestName } from './settings/nearest-name.ts';
import { readSecret } from './settings/setting-values.ts';
import { NAMES_OF_OTHERS, SETTINGS, SOURCE_SECRET_NAME } from './settings/settings.ts';
import type { Setting, SettingName, SettingValue } from './settings/settings.ts';

/** Everything an operator can set: checked, complete and frozen. `settings.ts` has the defaults. */
export interface Config {
  /** Where the gateway listens; IPv6 without brackets. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The address seen from outside, without a slash at its end. */
  readonly publicUrl: string | null;
  /** CIDRs of the proxies whose `X-Forwarded-*` count. */
  readonly trustedProxies: readonly string[];
  /** Where the Node-RED editor listens, on the same host; 0 lets the system choose. */
  readonly editorPort: number;
  /** Absolute. */
  readonly dataDir: string;
  /** `sqlite:`, the database in the data directory. */
  readonly storeUrl: string;
  /** Secret. null: the one that the data directory keeps. */
  readonly adminKey: string | null;
  /** Secret. null: the one that the data directory keeps. */
  readonly secretKey: string | null;
  /** Secrets of sources by the source's name: `mes` from `WEBHOOK_SECRET`, the others from their own settings. */
  readonly sourceSecrets: Readonly<Record<string, string>>;
  /** CIDRs that deliveries may reach although private; judged by the egress policy. */
  readonly egressAllow: readonly string[];
  /** The proxy that deliveries go through; may hold a password. Judged by egress. */
  readonly proxy: string | null;
  /** An extra certificate authority, absolute path; read by egress. */
  readonly caFile: string | null;
  /** Browser origins beside our own, as browsers send them. */
  readonly corsOrigins: readonly string[];
  /** The pause before each attempt, the first included. */
  readonly retryScheduleMs: readonly number[];
  /** For everything inbound that carries events. */
  readonly maxBodyBytes: number;
  /** How long events, deliveries and attempts are kept. */
  readonly retentionMs: number;
  /** The plant's time zone, an IANA name. */
  readonly timezone: string;
  /** Dotted paths into an event's data that are hidden from logs, exports and readers without the scope. */
  readonly redact: readonly string[];
}

/** Holds settings under the same names, in the working directory; the environment wins over it. */
export const CONFIG_FILE = 'hookline.config.json';

/**
 * Reads the settings: the environment, then `hookline.config.json`, then the defaults.
 * @param cwd absolute: where the file is looked for, and where relative paths start.
 * @throws CONFIGURATION for a name that is not known (suggests the nearest one) and for a wrong value: the name,
 *   the value unless it is a secret, and what is accepted.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, cwd: string): Config {
  const texts = new Map([...readConfigFile(cwd), ...readEnvironment(env)]);
  const sourceSecrets = readSourceSecrets(texts);

  const optional = <Name extends SettingName>(name: Name): SettingValue<Name> | null => {
    const setting: Setting<unknown> = SETTINGS[name];
    const given = texts.get(name);
    const text = given === undefined || (given === '' && !setting.list) ? setting.default : given;
    return text === null ? null : (readValue(name, setting, text) as SettingValue<Name>);
  };
  const required = <Name extends SettingName>(name: Name): SettingValue<Name> => optional(name)!;

  const mesSecret = optional('WEBHOOK_SECRET');
  const caFile = optional('HOOKLINE_CA_FILE');
  return freezeDeeply({
    host: required('HOOKLINE_HOST'),
    port: required('HOOKLINE_PORT'),
    publicUrl: optional('HOOKLINE_PUBLIC_URL'),
    trustedProxies: required('HOOKLINE_TRUSTED_PROXIES'),
    editorPort: required('HOOKLINE_EDITOR_PORT'),
    dataDir: resolve(cwd, required('HOOKLINE_DATA_DIR')),
    storeUrl: required('HOOKLINE_STORE_URL'),
    adminKey: optional('HOOKLINE_ADMIN_KEY'),
    secretKey: optional('HOOKLINE_SECRET_KEY'),
    sourceSecrets: mesSecret === null ? sourceSecrets : { ...sourceSecrets, mes: mesSecret },
    egressAllow: required('HOOKLINE_EGRESS_ALLOW'),
    proxy: optional('HOOKLINE_PROXY'),
    caFile: caFile === null ? null : resolve(cwd, caFile),
    corsOrigins: required('HOOKLINE_CORS_ORIGINS'),
    retryScheduleMs: required('HOOKLINE_RETRY_SCHEDULE'),
    maxBodyBytes: required('HOOKLINE_MAX_BODY'),
    retentionMs: required('HOOKLINE_RETENTION'),
    timezone: optional('HOOKLINE_TIMEZONE') ?? new Intl.DateTimeFormat().resolvedOptions().timeZone,
    redact: required('HOOKLINE_REDACT'),
  });
}

/** Every other variable of the environment is none of our business. */
function readEnvironment(env: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || (!name.startsWith('HOOKLINE_') && !isSettingName(name))) continue;
    if (NAMES_OF_OTHERS.some((other) => other === name)) continue;
    checkName(name, 'the environment');
    texts.set(name, text.trim());
  }
  return texts;
}

function readConfigFile(cwd: string): Map<string, string> {
  const path = join(cwd, CONFIG_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw wrong(CONFIG_FILE, `${path} cannot be read; make it readable or remove it.`, cause);
  }
  const members = parseJsonObject(path, text);
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(members)) {
    checkName(name, path);
    texts.set(name, settingText(name, value, path));
  }
  return texts;
}

function parseJsonObject(path: string, text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text around the fault, which may be a secret.
    throw wrong(CONFIG_FILE, `${path} is not JSON; accepted is one object with settings by their names.`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw wrong(CONFIG_FILE, `${path} holds no object; accepted is one object with settings by their names.`);
}

/** Lists may be written as JSON lists, numbers as numbers. */
function settingText(name: string, value: unknown, path: string): string {
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  if (!parts.every((part) => typeof part === 'string' || typeof part === 'number')) {
    throw wrong(name, `${name} in ${path} is neither text nor a number nor a list of these.`);
  }
  return parts.map((part) => String(part).trim()).join(',');
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

function checkName(name: string, place: string): void {
  if (isSettingName(name)) return;
  if (name === 'HOOKLINE_SOURCE_MES_SECRET') {
    throw wrong(
      name,
      `${name} in ${place} is not the name of a setting: the secret of the source mes is WEBHOOK_SECRET.`,
    );
  }
  if (SOURCE_SECRET_NAME.test(name)) return;
  const nearest = nearestName(name, Object.keys(SETTINGS));
  const remedy =
    nearest === null ? 'Remove it; `hookline start --help` lists the settings.' : `Did you mean ${nearest}?`;
  throw wrong(name, `${name} in ${place} is not the name of a setting. ${remedy}`);
}

function readSourceSecrets(texts: ReadonlyMap<string, string>): Record<string, string> {
  const secrets: Record<string, string> = {};
  for (const [name, text] of texts) {
    const source = SOURCE_SECRET_NAME.exec(name)?.[1];
    if (source === undefined || text === '') continue;
    const setting = { ...SETTINGS.WEBHOOK_SECRET, read: readSecret };
    secrets[source.toLowerCase()] = readValue(name, setting, text);
  }
  return secrets;
}

function readValue<Value>(name: string, setting: Setting<Value>, text: string): Value {
  const value = setting.read(text);
  if (value !== null) return value;
  const shown = setting.secret ? 'has a value that is not acceptable' : `is "${text.slice(0, 200)}"`;
  throw wrong(name, `${name} ${shown}; accepted is ${setting.accepted}.`);
}

function wrong(setting: string, message: string, cause?: unknown): HooklineError {
  return new HooklineError('CONFIGURATION', message, { details: { setting }, cause });
}

function freezeDeeply(config: Config): Config {
  for (const value of Object.values(config)) if (typeof value === 'object') Object.freeze(value);
  return Object.freeze(config);
}
