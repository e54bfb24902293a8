import { fork, type ChildProcess } from 'node:child_process';

/**
 * 80 good endpoints alone, and the same beside 10 that never answer and 10 that answer 500: what the good ones
 * keep of their throughput and of the time from the sender's request to their receipt. Order alternated.
 * Usage: node test/bench/isolation.bench.ts [rounds] [events]
 */
const ROUNDS = Number(process.argv[2] ?? 3);
const EVENTS = Number(process.argv[3] ?? 400);
const SECRET = 'a-secret-of-the-bench';
const GOOD = 80;
const BAD = 20;

function start<Hello>(file: string, ...args: string[]): Promise<{ child: ChildProcess; hello: Hello }> {
  const child = fork(new URL(file, import.meta.url), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return next<Hello>(child).then((hello) => ({ child, hello }));
}

function next<Result>(child: ChildProcess): Promise<Result> {
  return new Promise((resolve) => child.once('message', (message) => resolve(message as Result)));
}

function ask<Result>(child: ChildProcess, message: object): Promise<Result> {
  const answer = next<Result>(child);
  child.send(message);
  return answer;
}

async function measure(withBad: boolean): Promise<{ perSecond: number; p50: number; p99: number }> {
  const sink = await start<{ port: number }>('./sink.ts');
  const bad = await start<{ ports: number[] }>('./bad-receivers.ts', String(BAD));
  const goodPorts = Array<number>(GOOD).fill(sink.hello.port);
  const ports = withBad ? [...goodPorts, ...bad.hello.ports] : goodPorts;
  const gateway = await start<{ port: number }>(
    './gateway-under-test.ts',
    SECRET,
    'on',
    ports.join(','),
    String(ports.length),
  );
  const load = async (run: string, count: number, perSecond: number): Promise<{ sentAt: number[] }> => {
    const loader = await start('./loader.ts');
    await ask(loader.child, {
      port: gateway.hello.port,
      secret: SECRET,
      run,
      count,
      connections: 16,
      perSecond,
    });
    const result = await ask<{ sentAt: number[] }>(loader.child, { go: true });
    loader.child.disconnect();
    return result;
  };
  await load('warm', 30, 0);
  await ask(sink.child, { ask: 'until', count: 30 * GOOD });
  const startedAt = performance.now();
  await load('run', EVENTS, 0);
  await ask(sink.child, { ask: 'until', count: (30 + EVENTS) * GOOD });
  const perSecond = (EVENTS * GOOD) / ((performance.now() - startedAt) / 1000);
  await ask(sink.child, { ask: 'time' });
  const { sentAt } = await load('paced', 100, 20);
  await ask(sink.child, { ask: 'until', count: (130 + EVENTS) * GOOD });
  const { arrivals } = await ask<{ arrivals: Record<string, number> }>(sink.child, { ask: 'arrivals' });
  const waits = sentAt.map((sent, n) => arrivals[`evt-paced-${n}`]! - sent).sort((a, b) => a - b);
  gateway.child.kill('SIGKILL');
  sink.child.disconnect();
  bad.child.disconnect();
  return {
    perSecond,
    p50: waits[Math.floor(waits.length / 2)]!,
    p99: waits[Math.floor(waits.length * 0.99)]!,
  };
}

const alone: Awaited<ReturnType<typeof measure>>[] = [];
const beside: typeof alone = [];
for (let round = 0; round < ROUNDS; round++) {
  for (const withBad of round % 2 === 0 ? [false, true] : [true, false]) {
    (withBad ? beside : alone).push(await measure(withBad));
  }
}
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
console.table({
  '80 good alone': {
    'deliveries/s': median(alone.map((row) => row.perSecond)).toFixed(0),
    'p50 ms': median(alone.map((row) => row.p50)).toFixed(1),
    'p99 ms': median(alone.map((row) => row.p99)).toFixed(1),
  },
  'beside 10 silent and 10 failing': {
    'deliveries/s': median(beside.map((row) => row.perSecond)).toFixed(0),
    'p50 ms': median(beside.map((row) => row.p50)).toFixed(1),
    'p99 ms': median(beside.map((row) => row.p99)).toFixed(1),
  },
});
console.log(
  'throughput kept:',
  median(beside.map((row, n) => row.perSecond / alone[n]!.perSecond)).toFixed(2),
);
