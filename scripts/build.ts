import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { takeFileLock } from '../gateway/installation/file-lock.ts';
import { digestInputs, listFiles } from './build-inputs.ts';
import { installOutputs, isCurrent, type OutputFile } from './build-outputs.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..');

/** Entry points of the gateway: the command line, the thread it starts, what Node-RED's process loads of us. */
const GATEWAY_ENTRY_POINTS = [
  'gateway/cli.ts',
  'gateway/store/sqlite/sqlite-worker.ts',
  'gateway/expressions/expression-worker.ts',
  'gateway/node-red/child-settings.ts',
];

/** Dependencies that are CommonJS ask for `require`, which an ES module does not have by itself. */
const REQUIRE_BANNER =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** Another build may run this long before waiting for it is given up. */
const LOCK_WAIT_MS = 120_000;

export interface BuildOptions {
  /** Do nothing where the last build is of the same sources. @default false */
  onlyIfStale?: boolean;
  /** The checkout to build. @default the one this script is in */
  root?: string;
}

/**
 * Builds everything that is published or started: the gateway (one bundle with its dependencies) and the nodes
 * to `dist/`, the example flows to `examples/`. What does not exist yet is left out.
 * Several at once are safe: they queue, and those that find the work done return.
 * @throws where a source does not compile; what was built before is then still there, whole.
 */
export async function build(options: BuildOptions = {}): Promise<{ built: boolean }> {
  const { onlyIfStale = false, root = PROJECT_ROOT } = options;
  if (onlyIfStale && isCurrent(root, digestInputs(root))) return { built: false };

  mkdirSync(join(root, 'dist'), { recursive: true });
  const lock = takeFileLock(join(root, 'dist', '.lock'), LOCK_WAIT_MS);
  if (!lock) throw new Error(`Another build of ${root} does not come to an end; stop it and try again.`);
  try {
    const digest = digestInputs(root);
    if (onlyIfStale && isCurrent(root, digest)) return { built: false };
    const outputs = [
      ...(await bundle(root, findGatewayEntryPoints(root), 'dist/gateway')),
      ...(await bundle(root, findNodeEntryPoints(root), 'dist/nodes')),
      ...copyFiles(root, 'gateway/store/sqlite/sql', 'dist/gateway/sql', /\.sql$/),
      ...copyFiles(root, 'nodes', 'dist/nodes', /\.(html|json|svg|png)$/),
      ...copyFiles(root, 'flows', 'dist/flows', /\.json$/),
      ...copyFiles(root, 'flows', 'examples', /\.json$/),
    ];
    installOutputs(root, digest, outputs, onlyIfStale);
    linkCommand(root);
    return { built: true };
  } finally {
    lock.release();
  }
}

/** So that `npx hookline` in a checkout finds it at once, instead of packing the checkout first. */
function linkCommand(root: string): void {
  const folder = join(root, 'node_modules', '.bin');
  const link = join(folder, 'hookline');
  if (!existsSync(folder) || existsSync(link)) return;
  symlinkSync(join('..', '..', 'dist', 'gateway', 'cli.js'), link);
  chmodSync(join(root, 'dist', 'gateway', 'cli.js'), 0o755);
}

function findGatewayEntryPoints(root: string): string[] {
  return GATEWAY_ENTRY_POINTS.filter((path) => existsSync(join(root, path)));
}

/** A node is a source with an editor page of the same name; what nodes share has none. */
function findNodeEntryPoints(root: string): string[] {
  if (!existsSync(join(root, 'nodes'))) return [];
  return readdirSync(join(root, 'nodes'))
    .filter(
      (name) => name.endsWith('.html') && existsSync(join(root, 'nodes', name.replace(/\.html$/, '.ts'))),
    )
    .map((name) => join('nodes', name.replace(/\.html$/, '.ts')));
}

/** Shared code lies beside the entry points, so that `import.meta.url` names the same folder everywhere. */
async function bundle(root: string, entryPoints: string[], outdir: string): Promise<OutputFile[]> {
  if (entryPoints.length === 0) return [];
  // Loaded only when there is something to do: it takes longer than finding out that there is not.
  const esbuild = await import('esbuild');
  try {
    const result = await esbuild.build({
      absWorkingDir: root,
      entryPoints: entryPoints.map((path) => ({ in: path, out: basename(path, '.ts') })),
      outdir,
      write: false,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node22',
      keepNames: true,
      legalComments: 'linked',
      banner: { js: REQUIRE_BANNER },
      logLevel: 'silent',
    });
    return result.outputFiles.map((file) => {
      const path = relative(root, file.path);
      return { path, contents: file.contents, mode: path === 'dist/gateway/cli.js' ? 0o755 : 0o644 };
    });
  } finally {
    await esbuild.stop();
  }
}

function copyFiles(root: string, from: string, to: string, names: RegExp): OutputFile[] {
  return listFiles(join(root, from))
    .filter((file) => names.test(file))
    .map((file) => ({ path: join(to, relative(join(root, from), file)), contents: readFileSync(file) }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const startedAt = performance.now();
  const { built } = await build({ onlyIfStale: process.argv.includes('--if-stale') });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(built ? `Built dist/ and examples/ in ${seconds} s.` : 'The build is up to date.');
}
