import { DURATION_FORM, parseDuration } from '../duration.ts';
import {
  readDurations,
  readHost,
  readKey,
  readNetworks,
  readOrigins,
  readPaths,
  readPort,
  readPublicUrl,
  readSecret,
  readSize,
  readText,
  readTexts,
  readTimeZone,
} from './setting-values.ts';

/** One thing an operator can set. */
export interface Setting<Value> {
  /** What it is, in a few words. */
  meaning: string;
  /** As it would be written; null where there is none, or where it is found out otherwise. */
  default: string | null;
  /** Completes "accepted is …". */
  accepted: string;
  /** Never shown. @default false */
  secret?: boolean;
  /** An empty text is a value (an empty list), not the absence of one. @default false */
  list?: boolean;
  /** null: not acceptable. */
  read: (text: string) => Value | null;
}

const DAY_MS = 86_400_000;

/** Every setting by its name, in the order of the reference. `HOOKLINE_SOURCE_<NAME>_SECRET` comes in addition. */
export const SETTINGS = {
  HOOKLINE_HOST: {
    meaning: 'the address the gateway and the editor listen on',
    default: '127.0.0.1',
    accepted: 'a host name or an IP address',
    read: readHost,
  },
  HOOKLINE_PORT: {
    meaning: 'the port of the gateway',
    default: '4000',
    accepted: 'a whole number from 0 to 65535',
    read: readPort,
  },
  HOOKLINE_PUBLIC_URL: {
    meaning: 'the address of the gateway as seen from outside',
    default: null,
    accepted: 'an http or https URL, perhaps with a path, such as https://plant.example.com/hookline',
    read: readPublicUrl,
  },
  HOOKLINE_TRUSTED_PROXIES: {
    meaning: 'the proxies whose X-Forwarded-* headers count',
    default: '',
    accepted: 'a comma list of IP addresses and CIDRs, such as 10.0.0.5,10.20.0.0/16',
    list: true,
    read: readNetworks,
  },
  HOOKLINE_EDITOR_PORT: {
    meaning: 'the port of the Node-RED editor',
    default: '1880',
    accepted: 'a whole number from 0 to 65535',
    read: readPort,
  },
  HOOKLINE_DATA_DIR: {
    meaning: "the database, the keys and Node-RED's files",
    default: '.hookline',
    accepted: 'a path',
    read: readText,
  },
  HOOKLINE_STORE_URL: {
    meaning: 'where events and deliveries are kept',
    default: 'sqlite:',
    accepted: '"sqlite:", the database in the data directory (this build does not run on Redis yet)',
    // The URL of a database server may hold its password.
    secret: true,
    read: readStoreUrl,
  },
  HOOKLINE_ADMIN_KEY: {
    meaning: 'the key with all rights; made at the first start',
    default: null,
    accepted: '16 to 200 letters, digits and signs without blanks',
    secret: true,
    read: readKey,
  },
  HOOKLINE_SECRET_KEY: {
    meaning: 'seals stored secrets; made at the first start',
    default: null,
    accepted: '32 bytes as base64 or as 64 hex digits; make one with: openssl rand -base64 32',
    secret: true,
    read: readKey,
  },
  WEBHOOK_SECRET: {
    meaning: 'the secret of the source mes; made at the first start',
    default: null,
    accepted: '16 to 64 bytes of text, or whsec_ and their base64',
    secret: true,
    read: readSecret,
  },
  HOOKLINE_EGRESS_ALLOW: {
    meaning: 'private addresses that deliveries may reach',
    default: '',
    accepted: 'a comma list of CIDRs, such as 127.0.0.0/8,10.20.0.0/16',
    list: true,
    read: readTexts,
  },
  HOOKLINE_PROXY: {
    meaning: 'the proxy that deliveries go through',
    default: null,
    accepted: 'http://host:port or https://host:port',
    secret: true,
    read: readText,
  },
  HOOKLINE_CA_FILE: {
    meaning: 'an extra certificate authority',
    default: null,
    accepted: 'the path of a PEM file',
    read: readText,
  },
  HOOKLINE_CORS_ORIGINS: {
    meaning: 'web pages elsewhere that may call the API',
    default: '',
    accepted: 'a comma list of origins without a path, such as https://dashboards.example.com',
    list: true,
    read: readOrigins,
  },
  HOOKLINE_RETRY_SCHEDULE: {
    meaning: 'the pause before each attempt of a delivery',
    default: '0s,5s,30s,5m,30m,24h,24h,24h,24h,24h,24h,24h',
    accepted: `a comma list of 1 to 50 pauses of 30d at most, each ${DURATION_FORM}`,
    read: readSchedule,
  },
  HOOKLINE_MAX_BODY: {
    meaning: 'the largest request that carries events',
    default: '1MiB',
    accepted: 'a size from 1KiB to 64MiB, such as 512KiB or 1MB',
    read: readMaxBody,
  },
  HOOKLINE_RETENTION: {
    meaning: 'how long events and deliveries are kept',
    default: '30d',
    accepted: `a duration from 1h to 3650d: ${DURATION_FORM}`,
    read: readRetention,
  },
  HOOKLINE_TIMEZONE: {
    meaning: "the plant's time zone; the system's where none is given",
    default: null,
    accepted: 'the name of a time zone, such as Europe/Vienna',
    read: readTimeZone,
  },
  HOOKLINE_REDACT: {
    meaning: 'event data that is hidden from logs, exports and readers',
    default: 'operator.name,inspectedBy',
    accepted: 'a comma list of dotted paths, such as operator.name; empty for none',
    list: true,
    read: readPaths,
  },
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;

/** What the setting is once it is read. */
export type SettingValue<Name extends SettingName> = NonNullable<ReturnType<(typeof SETTINGS)[Name]['read']>>;

/** Names of ours in the environment that are no settings: the nodes' and the signing commands' own. */
export const NAMES_OF_OTHERS = ['HOOKLINE_URL', 'HOOKLINE_FLOW_KEY', 'HOOKLINE_SECRET'] as const;

/** The secret of a source that is not `mes`. */
export const SOURCE_SECRET_NAME = /^HOOKLINE_SOURCE_([A-Z0-9]+(?:_[A-Z0-9]+)*)_SECRET$/;

function readStoreUrl(text: string): string | null {
  return text === 'sqlite:' ? text : null;
}

function readSchedule(text: string): number[] | null {
  const pausesMs = readDurations(text);
  if (!pausesMs || pausesMs.length < 1 || pausesMs.length > 50) return null;
  return pausesMs.every((pauseMs) => pauseMs <= 30 * DAY_MS) ? pausesMs : null;
}

function readMaxBody(text: string): number | null {
  const bytes = readSize(text);
  return bytes !== null && bytes >= 1024 && bytes <= 64 * 1024 ** 2 ? bytes : null;
}

function readRetention(text: string): number | null {
  const ms = parseDuration(text);
  return ms !== null && ms >= 3_600_000 && ms <= 3650 * DAY_MS ? ms : null;
}
