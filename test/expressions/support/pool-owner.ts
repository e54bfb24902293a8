import { systemClock } from '../../../gateway/clock.ts';
import { createExpressionPool } from '../../../gateway/expressions/expression-pool.ts';
import { findWorkers } from './expression-workers.ts';

/**
 * A program that has one expression evaluated, prints the result and who gave it, and forgets to close the pool:
 * `pool-owner <source> <timeoutMs>`.
 */
const [source, timeoutMs] = process.argv.slice(2);
const pool = createExpressionPool({ clock: systemClock, timeoutMs: Number(timeoutMs) });
const asked = pool.evaluate(source!, {});
process.stdout.write('asked\n');
process.stdout.write(`${JSON.stringify({ result: await asked, workers: findWorkers() })}\n`);
