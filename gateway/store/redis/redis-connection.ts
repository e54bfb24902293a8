import { Redis } from 'ioredis';
import { HooklineError } from '../../errors.ts';
import { toStartError, toStoreError } from './redis-error.ts';
import { toPlainJson } from './plain-json.ts';
import { loadScripts, type ScriptName } from './redis-scripts.ts';

/** The answer of a command: what its JSON says, and the texts that it refers to by number (1 is the first). */
export interface ScriptAnswer<Result> {
  result: Result;
  text(number: number): string;
}

export interface ConnectionOptions {
  url: string;
  /** What all keys begin with. */
  prefix: string;
  /** Shown by the server's `CLIENT LIST`. */
  name: string;
  /** Unix ms, sent with every command. */
  now(): number;
  /** Commands go by the server's clock instead. */
  serverTime: boolean;
  /** Every time the connection is there again after it was lost. */
  onReconnect?(): void;
}

/** A command that is not answered in this time counts as lost, and so does everything else on its connection. */
const ANSWER_WITHIN_MS = 10_000;
const LONGEST_RECONNECT_PAUSE_MS = 1_000;

/**
 * One connection. A command fails at once while there is none, and is never sent a second time by itself: whether it
 * was carried out is not known then, and only whoever asked can tell what to do about it.
 */
export class RedisConnection {
  readonly #redis: Redis;
  readonly #options: ConnectionOptions;

  private constructor(redis: Redis, options: ConnectionOptions) {
    this.#redis = redis;
    this.#options = options;
  }

  /** @throws CONFIGURATION for a URL that is none or is not let in, STORE_UNAVAILABLE where nobody answers at it. */
  static async open(options: ConnectionOptions): Promise<RedisConnection> {
    const redis = new Redis(checkUrl(options.url), {
      lazyConnect: true,
      connectionName: options.name,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (times) => Math.min(times * 50, LONGEST_RECONNECT_PAUSE_MS),
      scripts: loadScripts(),
    });
    // Each command fails with what is wrong; the connection goes on trying by itself.
    let reason: unknown;
    redis.on('error', (error) => (reason = error));
    try {
      await redis.connect();
    } catch (error) {
      redis.disconnect();
      throw toStartError(reason ?? error);
    }
    if (options.onReconnect) redis.on('ready', options.onReconnect);
    return new RedisConnection(redis, options);
  }

  key(name: string): string {
    return this.#options.prefix + name;
  }

  /**
   * Runs one of our commands.
   * @throws STORE_UNAVAILABLE where it was refused or its answer was lost.
   */
  async run<Result>(
    name: ScriptName,
    request: object,
    texts: readonly string[] = [],
  ): Promise<ScriptAnswer<Result>> {
    const { prefix, now, serverTime } = this.#options;
    const json = toPlainJson({ ...request, now: now(), serverTime });
    const commands = this.#redis as unknown as Record<string, (...args: string[]) => Promise<string[]>>;
    const [answer, ...found] = await this.#within(() => commands[name]!(prefix, json, ...texts));
    return { result: JSON.parse(answer!) as Result, text: (number) => found[number - 1]! };
  }

  /**
   * Sends one of Redis' own commands.
   * @throws STORE_UNAVAILABLE where it was refused or its answer was lost.
   */
  send<Result>(send: (redis: Redis) => Promise<Result>): Promise<Result> {
    return this.#within(() => send(this.#redis));
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #within<Result>(send: () => Promise<Result>): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = send();
      // What comes after the answer that does not come would be taken for it: the connection begins anew.
      timer = setTimeout(() => this.#redis.disconnect(true), ANSWER_WITHIN_MS);
      return await answer;
    } catch (error) {
      throw toStoreError(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

function checkUrl(url: string): string {
  if (/^rediss?:\/\/[^/]+/.test(url) && URL.canParse(url)) return url;
  throw new HooklineError(
    'CONFIGURATION',
    `HOOKLINE_STORE_URL "${url.replace(/:\/\/.*@/, '://…@')}" is no address of a Redis; it looks like redis://host:6379/0, or rediss:// for TLS.`,
  );
}
