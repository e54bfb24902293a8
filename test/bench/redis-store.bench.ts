import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { startRedisServer } from '../support/redis-server.ts';
import type { StoreFigures } from './store-under-test.ts';

/**
 * The two stores side by side, without a network around them: append, lease and record at full speed. Every round
 * runs each in a fresh process, order alternated; Redis with `appendonly yes` and its default `appendfsync everysec`.
 * Usage: node test/bench/redis-store.bench.ts [rounds] [events]
 */
const ROUNDS = Number(process.argv[2] ?? 3);
const EVENTS = Number(process.argv[3] ?? 20_000);

/** What the server did for each delivery. */
interface ServerFigures {
  cpuUs: number;
  roundTrips: number;
  innerCommands: number;
  memoryBytes: number;
  commands: Record<string, number>;
}

type Figures = StoreFigures & { server: ServerFigures | null };

interface Counters {
  cpuUs: number;
  memoryBytes: number;
  calls: Map<string, number>;
}

async function readCounters(redis: Redis): Promise<Counters> {
  const info = await redis.info('everything');
  const number = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)![1]);
  const calls = Array.from(info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm), ([, name, count]) => {
    return [name!, Number(count)] as const;
  });
  return {
    cpuUs: (number('used_cpu_user') + number('used_cpu_sys')) * 1e6,
    memoryBytes: number('used_memory'),
    calls: new Map(calls),
  };
}

function compare(before: Counters, after: Counters, deliveries: number): ServerFigures {
  const perDelivery = [...after.calls]
    .map(([name, count]) => [name, (count - (before.calls.get(name) ?? 0)) / deliveries] as const)
    .filter(([name, count]) => count > 0 && !['info', 'xread'].includes(name))
    .sort(([, a], [, b]) => b - a);
  const isOuter = (name: string): boolean => name === 'evalsha' || name === 'eval';
  const sum = (wanted: (name: string) => boolean): number =>
    perDelivery.reduce((total, [name, count]) => total + (wanted(name) ? count : 0), 0);
  return {
    cpuUs: (after.cpuUs - before.cpuUs) / deliveries,
    roundTrips: sum(isOuter),
    innerCommands: sum((name) => !isOuter(name)),
    memoryBytes: (after.memoryBytes - before.memoryBytes) / deliveries,
    commands: Object.fromEntries(perDelivery.slice(0, 8)),
  };
}

async function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('a process of the bench has ended')));
  const [answer] = (await Promise.race([once(child, 'message'), ended])) as [Answer];
  ended.catch(() => {});
  return answer;
}

async function measure(store: 'sqlite' | 'redis', fanOut: number): Promise<Figures> {
  await using server = store === 'redis' ? await startRedisServer() : null;
  const redis = server ? new Redis(server.url) : null;
  const program = new URL('./store-under-test.ts', import.meta.url);
  const child = fork(program, [server?.url ?? 'sqlite', String(EVENTS), String(fanOut)]);
  try {
    await answerOf(child);
    const before = redis && (await readCounters(redis));
    child.send('go');
    const figures = await answerOf<StoreFigures>(child);
    const after = redis && (await readCounters(redis));
    return { ...figures, server: before && after ? compare(before, after, EVENTS * fanOut) : null };
  } finally {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.connected) child.disconnect();
    await ended;
    redis?.disconnect();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

for (const fanOut of [1, 10]) {
  const rounds: Record<'sqlite' | 'redis', Figures[]> = { sqlite: [], redis: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? (['sqlite', 'redis'] as const) : (['redis', 'sqlite'] as const);
    for (const store of order) rounds[store].push(await measure(store, fanOut));
  }
  console.log(`\nfan-out ${fanOut}, ${EVENTS} events, medians of ${ROUNDS}`);
  for (const [store, figures] of Object.entries(rounds)) {
    const of = (read: (figure: Figures) => number): number => median(figures.map(read));
    console.log(
      `${store.padEnd(7)} ${of((f) => f.perSecond).toFixed(0)} deliveries/s, ` +
        `${of((f) => f.cpuUs).toFixed(1)} µs CPU each, ` +
        `acknowledged after ${of((f) => f.ackP50Ms).toFixed(1)} ms (p99 ${of((f) => f.ackP99Ms).toFixed(1)})`,
    );
  }
  const servers = rounds.redis.map(({ server }) => server!);
  const of = (read: (figure: ServerFigures) => number): number => median(servers.map(read));
  console.log(
    `        server: ${of((s) => s.cpuUs).toFixed(1)} µs CPU, ${of((s) => s.roundTrips).toFixed(3)} round trips, ` +
      `${of((s) => s.innerCommands).toFixed(2)} inner commands, ${of((s) => s.memoryBytes).toFixed(0)} bytes each`,
  );
  console.log(
    `        ${JSON.stringify(servers.at(-1)!.commands, (_, value: unknown) => {
      return typeof value === 'number' ? Number(value.toFixed(3)) : value;
    })}`,
  );
}
