import { fork, type ChildProcess } from 'node:child_process';
import { cpus } from 'node:os';
import type { Load } from './loader.ts';

/**
 * The whole path (HTTP in, verify, fsync, sign, deliver, record) beside a bare undici POST loop and beside the same
 * gateway with its store off; every row and its baseline in the same round, in fresh processes, order alternated.
 * Usage: node test/bench/whole-path.bench.ts [rounds] [events]
 */
const ROUNDS = Number(process.argv[2] ?? 5);
const EVENTS = Number(process.argv[3] ?? 20_000);
const SECRET = 'a-secret-of-the-bench';

interface Measured {
  perSecond: number;
  cpuUs: number;
  ackP50: number;
  ackP99: number;
}

const children = new Set<ChildProcess>();

function start<Hello>(file: string, ...args: string[]): Promise<{ child: ChildProcess; hello: Hello }> {
  const child = fork(new URL(file, import.meta.url), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.add(child);
  child.on('exit', () => children.delete(child));
  return answer<Hello>(child).then((hello) => ({ child, hello }));
}

function answer<Result>(child: ChildProcess): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`a process of the bench ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as Result);
    });
  });
}

function ask<Result>(child: ChildProcess, message: object): Promise<Result> {
  const answered = answer<Result>(child);
  child.send(message);
  return answered;
}

async function measureRaw(): Promise<Measured> {
  const sink = await start<{ port: number }>('./sink.ts');
  const raw = await start('./raw-loop.ts');
  const go = (count: number): Promise<{ seconds: number; cpuUs: number }> =>
    ask(raw.child, { port: sink.hello.port, count, connections: 32 });
  await go(2_000);
  const { seconds, cpuUs } = await go(EVENTS);
  raw.child.disconnect();
  sink.child.disconnect();
  return { perSecond: EVENTS / seconds, cpuUs, ackP50: 0, ackP99: 0 };
}

async function measureGateway(fanOut: number, store: 'on' | 'off', events: number): Promise<Measured> {
  const sink = await start<{ port: number }>('./sink.ts');
  const gateway = await start<{ port: number }>(
    './gateway-under-test.ts',
    SECRET,
    store,
    String(sink.hello.port),
    String(fanOut),
  );
  const warmUp = await load(gateway.hello.port, 'warm', 2_000);
  await delivered(sink.child, 2_000 * fanOut);
  void warmUp;
  await ask(gateway.child, { ask: 'cpu' });
  const startedAt = performance.now();
  const { ackMs, codes } = await load(gateway.hello.port, 'run', events);
  if (codes['200'] !== events) throw new Error(`not all events were accepted: ${JSON.stringify(codes)}`);
  await delivered(sink.child, (2_000 + events) * fanOut);
  const seconds = (performance.now() - startedAt) / 1000;
  const { cpuUs } = await ask<{ cpuUs: number }>(gateway.child, { ask: 'cpu' });
  gateway.child.send({ ask: 'close' });
  sink.child.disconnect();
  return {
    perSecond: events / seconds,
    cpuUs: cpuUs / events,
    ackP50: at(ackMs, 0.5),
    ackP99: at(ackMs, 0.99),
  };
}

async function load(
  port: number,
  run: string,
  count: number,
  perSecond = 0,
): Promise<{ ackMs: number[]; codes: Record<string, number>; sentAt: number[] }> {
  const loader = await start('./loader.ts');
  await ask(loader.child, { port, secret: SECRET, run, count, connections: 64, perSecond } satisfies Load);
  const result = await ask<{ ackMs: number[]; codes: Record<string, number>; sentAt: number[] }>(
    loader.child,
    { go: true },
  );
  loader.child.disconnect();
  return result;
}

function delivered(sink: ChildProcess, count: number): Promise<unknown> {
  return ask(sink, { ask: 'until', count });
}

async function measureLatency(store: 'on' | 'off'): Promise<{ p50: number; p99: number }> {
  const sink = await start<{ port: number }>('./sink.ts');
  const gateway = await start<{ port: number }>(
    './gateway-under-test.ts',
    SECRET,
    store,
    String(sink.hello.port),
    '1',
  );
  await load(gateway.hello.port, 'warm', 1_000);
  await delivered(sink.child, 1_000);
  await ask(sink.child, { ask: 'time' });
  const count = 3_000;
  const { sentAt } = await load(gateway.hello.port, 'paced', count, 500);
  await delivered(sink.child, 1_000 + count);
  const { arrivals } = await ask<{ arrivals: Record<string, number> }>(sink.child, { ask: 'arrivals' });
  gateway.child.send({ ask: 'close' });
  sink.child.disconnect();
  const waits = sentAt.map((sent, n) => arrivals[`evt-paced-${n}`]! - sent).sort((a, b) => a - b);
  return { p50: at(waits, 0.5), p99: at(waits, 0.99) };
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function median(values: readonly number[]): number {
  return at(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

const rows = {
  raw: [] as Measured[],
  durable: [] as Measured[],
  off: [] as Measured[],
  ten: [] as Measured[],
};
const latency = { on: [] as { p50: number; p99: number }[], off: [] as { p50: number; p99: number }[] };
for (let round = 0; round < ROUNDS; round++) {
  const steps = [
    async () => rows.raw.push(await measureRaw()),
    async () => rows.durable.push(await measureGateway(1, 'on', EVENTS)),
    async () => rows.off.push(await measureGateway(1, 'off', EVENTS)),
    async () => rows.ten.push(await measureGateway(10, 'on', EVENTS / 5)),
    async () => latency.on.push(await measureLatency('on')),
    async () => latency.off.push(await measureLatency('off')),
  ];
  for (const step of round % 2 === 0 ? steps : steps.reverse()) await step();
}

const ratio = (pick: (round: number) => number): string =>
  median(Array.from({ length: ROUNDS }, (_, round) => pick(round))).toFixed(2);
const figure = (list: readonly Measured[], pick: keyof Measured): string =>
  median(list.map((row) => row[pick])).toFixed(pick === 'perSecond' ? 0 : 1);
console.log(
  `\n${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}; medians of ${ROUNDS} rounds, ratios round by round\n`,
);
console.table({
  'bare undici POST loop': {
    'per second': figure(rows.raw, 'perSecond'),
    'CPU µs': figure(rows.raw, 'cpuUs'),
  },
  'whole path, fan-out 1, durable': {
    'per second': figure(rows.durable, 'perSecond'),
    'CPU µs': figure(rows.durable, 'cpuUs'),
    'ack p50 ms': figure(rows.durable, 'ackP50'),
    'ack p99 ms': figure(rows.durable, 'ackP99'),
  },
  'the same, store off': {
    'per second': figure(rows.off, 'perSecond'),
    'CPU µs': figure(rows.off, 'cpuUs'),
    'ack p50 ms': figure(rows.off, 'ackP50'),
    'ack p99 ms': figure(rows.off, 'ackP99'),
  },
  'whole path, fan-out 10, durable': {
    'per second': figure(rows.ten, 'perSecond'),
    'CPU µs': figure(rows.ten, 'cpuUs'),
  },
});
console.table({
  'fan-out 1, durable / store off': ratio((n) => rows.durable[n]!.perSecond / rows.off[n]!.perSecond),
  'fan-out 10, deliveries / bare POSTs': ratio((n) => (rows.ten[n]!.perSecond * 10) / rows.raw[n]!.perSecond),
  'fan-out 1, events / bare POSTs': ratio((n) => rows.durable[n]!.perSecond / rows.raw[n]!.perSecond),
  'CPU per event / CPU per bare POST': ratio((n) => rows.durable[n]!.cpuUs / rows.raw[n]!.cpuUs),
  'accept to receipt at 500/s, p50 / store off': ratio((n) => latency.on[n]!.p50 / latency.off[n]!.p50),
  'accept to receipt at 500/s, p99 / store off': ratio((n) => latency.on[n]!.p99 / latency.off[n]!.p99),
  'accept to receipt at 500/s, p50 ms': ratio((n) => latency.on[n]!.p50),
  'accept to receipt at 500/s, p99 ms': ratio((n) => latency.on[n]!.p99),
});
