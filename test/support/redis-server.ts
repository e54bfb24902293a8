import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

import { Redis } from 'ioredis';

import { makeTempFolder, type TempFolder } from './temp-folder.ts';

/** A redis-server of one's own on 127.0.0.1, with its data in a temporary folder; gone when it is disposed of. */
export interface RedisServer extends AsyncDisposable {
  url: string;
  pid: number;
  /** Ends it as an operator would: it writes what it has, and ends. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** The same data on the same port again, after `stop` or `kill`. */
  restart(): Promise<void>;
}

export interface RedisServerOptions {
  /** A cluster of this one server, with all slots. @default false */
  cluster?: boolean;
}

const READY_MS = 10_000;
/** Somebody else may take the free port before the server does. */
const PORT_TRIES = 5;

/** Starts one that writes every command to its file (`appendonly yes`) and waits until it takes connections. */
export async function startRedisServer({ cluster = false }: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = await makeTempFolder();
  for (let left = PORT_TRIES; ; left--) {
    const port = await findFreePort();
    try {
      return new OwnRedisServer(folder, port, await spawnServer(folder, port, cluster), cluster);
    } catch (error) {
      if (left > 1) continue;
      await folder[Symbol.asyncDispose]();
      throw error;
    }
  }
}

class OwnRedisServer implements RedisServer {
  readonly url: string;
  readonly #folder: TempFolder;
  readonly #port: number;
  readonly #cluster: boolean;
  #child: ChildProcess;

  constructor(folder: TempFolder, port: number, child: ChildProcess, cluster: boolean) {
    this.#folder = folder;
    this.#port = port;
    this.#child = child;
    this.#cluster = cluster;
    this.url = `redis://127.0.0.1:${port}/0`;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    this.#child = await spawnServer(this.#folder, this.#port, this.#cluster);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#folder[Symbol.asyncDispose]();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }
}

async function spawnServer(folder: TempFolder, port: number, cluster: boolean): Promise<ChildProcess> {
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: folder.path,
    appendonly: 'yes',
    save: '',
    ...(cluster ? { 'cluster-enabled': 'yes' } : {}),
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const lines: string[] = [];
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    reject(new Error(`redis-server was not ready within ${READY_MS} ms:\n${lines.join('\n')}`));
  }, READY_MS);
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (line.includes('Ready to accept connections') && cluster) takeAllSlots(port).catch(reject);
    if (line.includes(cluster ? 'Cluster state changed: ok' : 'Ready to accept connections')) resolve();
  });
  child.once('error', reject);
  child.once('exit', () => reject(new Error(`redis-server ended at its start:\n${lines.join('\n')}`)));
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
  return child;
}

/** It serves once it has noticed that none is missing. */
async function takeAllSlots(port: number): Promise<void> {
  const redis = new Redis(port, '127.0.0.1');
  try {
    await redis.cluster('ADDSLOTSRANGE', 0, 16_383);
  } finally {
    redis.disconnect();
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
