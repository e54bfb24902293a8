import { join } from 'node:path';

import { readConfig } from '../config.ts';
import { ADMIN_KEY_FILE } from '../installation/data-directory.ts';
import { findInstance } from '../installation/instance.ts';
import { readSecretFile } from '../installation/secret-file.ts';
import { CommandError } from './command-error.ts';
import { UsageError } from './command.ts';
import type { CommandIo } from './command.ts';

/** The way of a command to a gateway that runs in another process. */
export interface GatewayConnection {
  /** Without a slash at its end. */
  url: string;
  /** A GraphQL operation. @throws CommandError where the gateway is not there or says no. */
  query<Data>(document: string, variables?: Record<string, unknown>): Promise<Data>;
  /** A POST without a body that is answered with JSON. @throws CommandError as `query`. */
  post<Answer>(path: string): Promise<Answer>;
}

const ANSWER_MS = 10_000;

/**
 * Finds the gateway of the data directory and the admin key to talk to it.
 * @param url another gateway than the one that announced itself there; the key is then the one in the settings.
 * @throws CommandError where none runs or no key is known, with the remedy.
 */
export function connectToGateway(io: CommandIo, url: string | undefined): GatewayConnection {
  const config = readConfig(io.env ?? process.env, process.cwd());
  const found = findGatewayUrl(config.dataDir, url);
  const keyPath = join(config.dataDir, ADMIN_KEY_FILE);
  const key = config.adminKey ?? readSecretFile(keyPath);
  if (key === null) {
    throw new CommandError(
      `There is no admin key: neither HOOKLINE_ADMIN_KEY is set, nor is there ${keyPath}.`,
    );
  }
  return createConnection(found, key);
}

/**
 * Where the gateway is, without a slash at its end.
 * @param given by the user; otherwise the one that announced itself in the data directory.
 * @throws CommandError where there is neither, UsageError where what was given is no URL.
 */
export function findGatewayUrl(dataDir: string, given: string | undefined): string {
  if (given !== undefined && !/^https?:/.test(URL.parse(given)?.protocol ?? '')) {
    throw new UsageError('The value of --url must be an http or https URL, such as http://127.0.0.1:4000.');
  }
  const url = given ?? findInstance(dataDir)?.url;
  if (url !== undefined) return url.replace(/\/+$/, '');
  throw new CommandError(
    `No gateway runs on the data directory ${dataDir}; start one with \`hookline start\`, ` +
      'or say where it is with --url or HOOKLINE_DATA_DIR.',
  );
}

/** A way to a gateway whose URL and key are known. */
export function createConnection(url: string, key: string): GatewayConnection {
  async function ask<Answer>(path: string, body: string): Promise<Answer> {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const response = await sendRequest(`${url}${path}`, { method: 'POST', headers, body });
    const answer = await readJson(response, url);
    // GraphQL says what is wrong in `errors`, everything else in `error`.
    const [error] = answer.errors ?? (answer.error === undefined ? [] : [answer.error]);
    if (error) throw new CommandError(error.message);
    if (!response.ok)
      throw new CommandError(`The gateway at ${url} answered with status ${response.status}.`);
    return answer as Answer;
  }
  return {
    url,
    post: (path) => ask(path, '{}'),
    async query<Data>(document: string, variables: Record<string, unknown> = {}) {
      const { data } = await ask<{ data: Data }>('/graphql', JSON.stringify({ query: document, variables }));
      return data;
    },
  };
}

/** One request to a gateway. @throws CommandError where nobody answers there, with the remedy. */
async function sendRequest(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(ANSWER_MS) });
  } catch (cause) {
    const { origin } = new URL(url);
    throw new CommandError(
      `No gateway answers at ${origin}; is it running? Start one with \`hookline start\`.`,
      {
        cause,
      },
    );
  }
}

interface AnyAnswer {
  errors?: { message: string }[];
  error?: { message: string };
}

async function readJson(response: Response, url: string): Promise<AnyAnswer> {
  try {
    return (await response.json()) as AnyAnswer;
  } catch (cause) {
    const message = `What answers at ${url} is no gateway of Hookline (status ${response.status}).`;
    throw new CommandError(message, { cause });
  }
}
