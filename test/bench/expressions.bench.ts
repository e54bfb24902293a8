/**
 * What a user's expression costs: plain ones on the spot, others in the worker process, asked one at a time and
 * many at once. Per evaluation: elapsed time, and processor time of this process (what the gateway has to give).
 *
 * node test/bench/expressions.bench.ts [evaluations] [rounds]
 */
import { systemClock } from '../../gateway/clock.ts';
import { createExpressionPool, type ExpressionPool } from '../../gateway/expressions/expression-pool.ts';
import { compileExpression } from '../../gateway/expressions/expression.ts';

const EVENTS = Array.from({ length: 200 }, (_, n) => ({
  id: `evt-${n}`,
  type: n % 2 === 0 ? 'quality.ncr_created' : 'work_order.created',
  timestamp: '2026-01-15T08:00:00.000Z',
  source: 'mes',
  machine: { id: `m-${n % 7}`, name: `Mill ${n % 7}`, group: n % 3 === 0 ? 'Milling' : 'Turning' },
  data: {
    ncr: { id: `ncr-${n}`, severity: n % 5 === 0 ? 'CRITICAL' : 'MINOR', tags: ['scrap', `t${n}`] },
    workOrder: { id: `wo-${n}`, quantity: n, notes: 'x'.repeat(800) },
  },
  test: false,
}));

const PLAIN = {
  'type filter': 'type = "quality.ncr_created"',
  'three clauses':
    'machine.group = "Milling" and data.ncr.severity in ["MAJOR", "CRITICAL"] and data.workOrder.quantity > 100',
  'order key': 'machine.id & "/" & data.workOrder.id',
  payload: '{"order": data.workOrder.id, "text": "NCR " & data.ncr.id & " on " & machine.name}',
};

const IN_THE_WORKER = {
  'list member': '"scrap" in data.ncr.tags',
  pattern: '$contains(machine.name, /^Mill [0-3]$/)',
  payload: '{"order": data.workOrder.id, "tags": $join($map(data.ncr.tags, $uppercase), ", ")}',
};

await compare(Number(process.argv[2] ?? 20_000), Number(process.argv[3] ?? 5));

async function compare(evaluations: number, rounds: number): Promise<void> {
  const pool = createExpressionPool({ clock: systemClock });
  const rows: [name: string, run: () => Promise<void>, count: number][] = [];
  for (const [name, source] of Object.entries(PLAIN)) {
    rows.push([`inline: ${name}`, () => inline(source, evaluations * 10), evaluations * 10]);
  }
  for (const [name, source] of Object.entries(IN_THE_WORKER)) {
    rows.push([
      `worker, ${evaluations} at once: ${name}`,
      () => atOnce(pool, source, evaluations),
      evaluations,
    ]);
    const few = Math.ceil(evaluations / 20);
    rows.push([`worker, one at a time: ${name}`, () => oneByOne(pool, source, few), few]);
  }
  const costs = rows.map(() => ({ elapsedUs: [] as number[], cpuUs: [] as number[] }));
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? rows.keys() : [...rows.keys()].reverse();
    for (const row of order) {
      const [, run, count] = rows[row]!;
      const cpu = process.cpuUsage();
      const startedAt = performance.now();
      await run();
      const elapsedUs = (performance.now() - startedAt) * 1000;
      const { user, system } = process.cpuUsage(cpu);
      // The first round warms up.
      if (round === 0) continue;
      costs[row]!.elapsedUs.push(elapsedUs / count);
      costs[row]!.cpuUs.push((user + system) / count);
    }
  }
  for (const [row, [name]] of rows.entries()) {
    const { elapsedUs, cpuUs } = costs[row]!;
    console.log(
      `${name.padEnd(45)} ${median(elapsedUs).toFixed(2).padStart(8)} us ${median(cpuUs).toFixed(2).padStart(8)} us CPU here`,
    );
  }
  await pool.close();
}

async function inline(source: string, count: number): Promise<void> {
  const compiled = compileExpression(source);
  if (!compiled.ok) throw new Error(compiled.message);
  for (let n = 0; n < count; n++) {
    if (compiled.expression.evaluateInline(EVENTS[n % EVENTS.length]) === 'needs_worker') {
      throw new Error(`${source} is not plain`);
    }
  }
}

async function atOnce(pool: ExpressionPool, source: string, count: number): Promise<void> {
  const CHUNK = 5_000;
  for (let from = 0; from < count; from += CHUNK) {
    const chunk = Array.from({ length: Math.min(CHUNK, count - from) }, (_, n) =>
      evaluate(pool, source, from + n),
    );
    await Promise.all(chunk);
  }
}

async function oneByOne(pool: ExpressionPool, source: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await evaluate(pool, source, n);
}

async function evaluate(pool: ExpressionPool, source: string, n: number): Promise<void> {
  const result = await pool.evaluate(source, EVENTS[n % EVENTS.length]);
  if (!result.ok) throw new Error(result.message);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
