import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

import { announceInstance } from '../../../gateway/installation/instance.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

/** One request as it came. */
export interface SeenRequest {
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: { query?: string; variables?: Record<string, unknown> } & Record<string, unknown>;
}

/** A stand-in for the gateway, with a data directory in which commands find it and its keys. */
export interface ScriptedGateway extends AsyncDisposable {
  url: string;
  dataDir: string;
  /** What a command needs to find it. */
  env: Record<string, string>;
  seen: SeenRequest[];
  /** The answers that are given from now on: a status and a JSON value, or how to find them. */
  answer: Answer | ((request: SeenRequest) => Answer);
}

export interface Answer {
  status: number;
  body: unknown;
}

export const ADMIN_KEY = 'sk-admin-of-the-tests';

export async function startScriptedGateway(): Promise<ScriptedGateway> {
  const folder = await makeTempFolder();
  const seen: SeenRequest[] = [];
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await json(request)) as SeenRequest['body'];
    const entry: SeenRequest = { path: request.url ?? '', headers: request.headers, body };
    seen.push(entry);
    const answer = typeof gateway.answer === 'function' ? gateway.answer(entry) : gateway.answer;
    response
      .writeHead(answer.status, { 'content-type': 'application/json' })
      .end(JSON.stringify(answer.body));
  }
  const server = createServer((request, response) => void handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  announceInstance(folder.path, { url, pid: process.pid });
  writeFileSync(`${folder.path}/admin-key`, `${ADMIN_KEY}\n`);
  const gateway: ScriptedGateway = {
    url,
    dataDir: folder.path,
    env: { HOOKLINE_DATA_DIR: folder.path },
    seen,
    answer: { status: 200, body: {} },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await folder[Symbol.asyncDispose]();
    },
  };
  return gateway;
}
