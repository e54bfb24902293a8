import type { Redis } from 'ioredis';
import { HooklineError } from '../../errors.ts';

export interface ServerCheckOptions {
  redis: Redis;
  log: { warn(fields: Record<string, unknown>, message: string): void };
}

/**
 * Looks at how the server is set before anything is entrusted to it.
 * @throws CONFIGURATION where it would throw away what it holds when memory gets short.
 */
export async function checkServer({ redis, log }: ServerCheckOptions): Promise<void> {
  const memory = readInfo(await redis.info('memory'));
  const policy = memory.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    throw new HooklineError(
      'CONFIGURATION',
      `The Redis of HOOKLINE_STORE_URL evicts keys when memory gets short (maxmemory-policy ${policy}), and would lose what was accepted. Set maxmemory-policy to noeviction.`,
    );
  }
  const persistence = readInfo(await redis.info('persistence'));
  if (persistence.get('aof_enabled') === '0') {
    log.warn(
      { setting: 'appendonly' },
      'The Redis of HOOKLINE_STORE_URL keeps nothing over a crash of its own: set appendonly to yes.',
    );
  }
}

function readInfo(info: string): Map<string, string> {
  const lines = info.split('\r\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}
