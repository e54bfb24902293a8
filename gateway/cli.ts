#!/usr/bin/env node

/*
 * The file behind the word `hookline`. It imports nothing, so that a Node.js that is too old for the rest can
 * still say so, and so that nothing has touched SQLite before its warning is silenced.
 */

const OLDEST_NODE = [22, 19] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `hookline needs Node.js ${OLDEST_NODE.join('.')} or newer, and this is ${process.versions.node}; install a newer one.\n`,
  );
  process.exit(1);
}

silenceSqliteWarning();
ignoreLostReaders();
const { runCommandLine } = await import('./command-line.ts');
const { stdin, stdout, stderr, env } = process;
const exitCode = await runCommandLine(process.argv.slice(2), { stdin, stdout, stderr, env, now: Date.now });
// Idle connections would keep the process for seconds; what was printed goes out first.
stdout.write('', () => stderr.write('', () => process.exit(exitCode)));

/** Node.js 22 calls SQLite experimental at each start; the part in use is the same in 24, where it no longer does. */
function silenceSqliteWarning(): void {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: never[]) => {
    if (!String(warning).includes('SQLite is an experimental feature')) emitWarning(warning, ...rest);
  };
}

/** Whoever read our output may go away (`hookline … | head`); that is no reason to stop delivering. */
function ignoreLostReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
