import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../../gateway/simulate/random.ts';
import { mesHeaders } from '../end-to-end/support/product-client.ts';
import type { Ledger } from './ledger.ts';

export interface LoaderOptions {
  port: number;
  /** Of the source `mes`. */
  secret: string;
  /** Requests under way at a time. */
  connections: number;
  random: Random;
  ledger: Ledger;
  /** The nth event, from 1, and the receivers it is owed to. */
  makeEvent: (n: number) => { id: string; body: string; owedTo: readonly string[] };
}

/** Disposing of it ends it at once, whatever is under way. */
export interface Loader extends Disposable {
  /** Sends no more new events; resolves when those under way are over, for which the gateway has to be up. */
  stop(): Promise<void>;
}

/** Nobody listens: the gateway is being started. */
const CONNECT_AGAIN_MS = 10;

/**
 * Posts new events to a gateway that may be killed at any moment, each as soon as there is room for it. What was
 * certainly not accepted is sent again, as a sender would. Where nobody knows, half is sent again, half is left to
 * its fate.
 */
export function startLoader(options: LoaderOptions): Loader {
  const { port, secret, connections, random, ledger, makeEvent } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let count = 0;
  let isStopping = false;
  let isOver = false;

  const post = (id: string, body: string): Promise<Outcome> =>
    new Promise((resolve) => {
      const headers = { ...mesHeaders(body, secret), 'content-length': Buffer.byteLength(body) };
      const sent = request({
        host: '127.0.0.1',
        port,
        path: '/webhooks/mes',
        method: 'POST',
        agent,
        headers,
      });
      sent.on('response', (response) => {
        // The sender may rely on the status alone: what comes after it cannot take it back.
        if (response.statusCode === 200) ledger.noteAnswered(id);
        response.resume();
        response.on('error', () => {});
        response.on('close', () => resolve(response.statusCode ?? 0));
      });
      sent.on('error', (error: NodeJS.ErrnoException) =>
        resolve(error.code === 'ECONNREFUSED' ? 'nobody there' : 'nobody knows'),
      );
      sent.end(body);
    });

  const sendOne = async (): Promise<void> => {
    const { id, body, owedTo } = makeEvent(++count);
    ledger.noteSent(id, body, owedTo);
    while (!isOver) {
      const outcome = await post(id, body);
      if (outcome === 200) return;
      if (outcome === 'nobody knows' && random.chance(0.5)) return;
      if (outcome === 'nobody there') await pause(CONNECT_AGAIN_MS);
      // 503 is an honest no; anything else is not among what a valid event may be answered.
      if (typeof outcome === 'number' && outcome !== 503) {
        ledger.noteFault(`${id} was answered ${outcome}`);
        return;
      }
    }
  };
  const work = async (): Promise<void> => {
    while (!isStopping) await sendOne();
  };
  const working = Promise.all(Array.from({ length: connections }, work));

  return {
    async stop() {
      isStopping = true;
      await working;
    },
    [Symbol.dispose]() {
      isStopping = true;
      isOver = true;
      agent.destroy();
    },
  };
}

/** The status, or what became of the connection instead. */
type Outcome = number | 'nobody there' | 'nobody knows';
