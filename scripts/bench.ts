import { spawnSync } from 'node:child_process';

/** `npm run bench -- [rounds] [events]`: the whole path beside its baselines; see `test/bench/`. */
const bench = new URL('../test/bench/whole-path.bench.ts', import.meta.url).pathname;
process.exitCode =
  spawnSync(process.execPath, [bench, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
