import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One file of the build: where it goes, relative to the root, and what is in it. */
export interface OutputFile {
  path: string;
  contents: Uint8Array;
  /** @default 0o644 */
  mode?: number;
}

/** What the last build left behind. */
interface BuildStamp {
  digest: string;
  files: string[];
  /** Code of the build before, left for programs that still run from it. */
  superseded: string[];
}

const STAMP_PATH = join('dist', '.built');
const NOTHING_BUILT: BuildStamp = { digest: '', files: [], superseded: [] };

/** Shared code carries a hash of its content in its name, so that two builds can stand side by side. */
const HASHED_NAME = /-[A-Z0-9]{8}\.js$/;

/** True where the last build is of these inputs and none of its files has vanished since. */
export function isCurrent(root: string, digest: string): boolean {
  const stamp = readStamp(root);
  return stamp.digest === digest && stamp.files.every((file) => existsSync(join(root, file)));
}

/**
 * Puts the files in place one by one, each by an atomic rename, shared code before the entry points that import
 * it and the stamp last: whoever starts meanwhile finds the old build or the new one, never half of either.
 * @param keepSuperseded leaves the shared code of the build that is replaced until the next one, because a
 *   program that runs from it may still load some.
 */
export function installOutputs(
  root: string,
  digest: string,
  outputs: readonly OutputFile[],
  keepSuperseded: boolean,
): void {
  const before = readStamp(root);
  const shared = outputs.filter((output) => HASHED_NAME.test(output.path));
  const rest = outputs.filter((output) => !HASHED_NAME.test(output.path));
  for (const output of [...shared, ...rest]) writeAtomically(root, output);

  const files = outputs.map((output) => output.path);
  const superseded = keepSuperseded
    ? before.files.filter((file) => HASHED_NAME.test(file) && !files.includes(file))
    : [];
  const wanted = new Set([...files, ...superseded]);
  for (const file of [...before.files, ...before.superseded]) {
    if (!wanted.has(file)) rmSync(join(root, file), { force: true });
  }
  const stamp: BuildStamp = { digest, files, superseded };
  writeAtomically(root, { path: STAMP_PATH, contents: Buffer.from(JSON.stringify(stamp)) });
}

function readStamp(root: string): BuildStamp {
  try {
    return { ...NOTHING_BUILT, ...(JSON.parse(readFileSync(join(root, STAMP_PATH), 'utf8')) as BuildStamp) };
  } catch {
    return NOTHING_BUILT;
  }
}

function writeAtomically(root: string, output: OutputFile): void {
  const path = join(root, output.path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, output.contents, { mode: output.mode ?? 0o644 });
  renameSync(`${path}.new`, path);
}
