import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { build } from '../../scripts/build.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

let root: string;

beforeEach(async () => {
  const folder = await makeTempFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  root = folder.path;
});

function write(files: Record<string, string>): void {
  for (const [path, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), contents);
  }
}

/** A checkout in small. */
function writeCheckout(): void {
  write({
    'gateway/cli.ts':
      "#!/usr/bin/env node\nconst { hello } = await import('./hello.ts');\nconsole.log(hello);\n",
    'gateway/hello.ts':
      "import { greeting } from './greeting.ts';\nexport const hello: string = `${greeting}, line 1`;\n",
    'gateway/greeting.ts': "export const greeting = 'Hello';\n",
    'gateway/store/sqlite/sqlite-worker.ts':
      "import { greeting } from '../../greeting.ts';\nconsole.log(greeting);\n",
    'gateway/store/sqlite/sql/append.sql': '-- appends\n',
    'nodes/event.ts': "import { shared } from './gateway-client.ts';\nexport default (): string => shared;\n",
    'nodes/event.html': '<script></script>',
    'nodes/gateway-client.ts': "export const shared = 'shared';\n",
    'nodes/icons/event.svg': '<svg/>',
    'nodes/locales/de/event.json': '{}',
    'flows/01-first.json': '[]',
  });
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

async function runBuilt(): Promise<string> {
  const child = spawn(process.execPath, [join(root, 'dist/gateway/cli.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return text(child.stdout);
}

describe('build', () => {
  it('does nothing but say so where there is nothing to build', async () => {
    expect(await build({ root })).toEqual({ built: true });
    expect(await build({ root, onlyIfStale: true })).toEqual({ built: false });
  });

  it('bundles the gateway into a program that runs by itself', async () => {
    writeCheckout();
    await build({ root });
    expect(read('dist/gateway/cli.js').startsWith('#!/usr/bin/env node\n')).toBe(true);
    expect(statSync(join(root, 'dist/gateway/cli.js')).mode & 0o111).toBe(0o111);
    rmSync(join(root, 'gateway'), { recursive: true });
    expect(await runBuilt()).toBe('Hello, line 1\n');
  });

  it('puts threads and their SQL beside it', async () => {
    writeCheckout();
    await build({ root });
    expect(read('dist/gateway/sqlite-worker.js')).toContain('console.log');
    expect(read('dist/gateway/sql/append.sql')).toBe('-- appends\n');
  });

  it('makes a node of each source with a page, with all that must lie beside it', async () => {
    writeCheckout();
    await build({ root });
    expect(read('dist/nodes/event.js')).toMatch(/export \{[^}]* as default/);
    expect(existsSync(join(root, 'dist/nodes/gateway-client.js'))).toBe(false);
    for (const path of ['event.html', 'icons/event.svg', 'locales/de/event.json']) {
      expect(existsSync(join(root, 'dist/nodes', path))).toBe(true);
    }
  });

  it('copies the flows to where Node-RED shows them and to where the first start finds them', async () => {
    writeCheckout();
    await build({ root });
    expect([read('examples/01-first.json'), read('dist/flows/01-first.json')]).toEqual(['[]', '[]']);
  });

  it('fails where a source does not compile, and leaves the last build whole', async () => {
    writeCheckout();
    await build({ root });
    write({ 'gateway/greeting.ts': 'export const greeting = ;\n' });
    await expect(build({ root, onlyIfStale: true })).rejects.toThrow('greeting.ts');
    expect(await runBuilt()).toBe('Hello, line 1\n');
  });

  it('removes what is no longer part of it', async () => {
    writeCheckout();
    await build({ root });
    rmSync(join(root, 'flows/01-first.json'));
    write({ 'gateway/greeting.ts': "export const greeting = 'Good day';\n" });
    await build({ root });
    expect(existsSync(join(root, 'examples/01-first.json'))).toBe(false);
    const hello = readdirSync(join(root, 'dist/gateway')).filter((name) => name.startsWith('hello-'));
    expect(hello).toHaveLength(1);
  });
});

describe('build, only where it is stale', () => {
  it('leaves the code of the build before for programs that still run from it, and no longer', async () => {
    const codeOf = (): string[] =>
      readdirSync(join(root, 'dist/gateway')).filter((name) => name.startsWith('hello-'));
    writeCheckout();
    await build({ root, onlyIfStale: true });
    const first = codeOf();
    write({ 'gateway/hello.ts': "export const hello: string = 'Second';\n" });
    await build({ root, onlyIfStale: true });
    const second = codeOf().filter((name) => !first.includes(name));
    expect(codeOf()).toEqual(expect.arrayContaining([...first, ...second]));
    write({ 'gateway/hello.ts': "export const hello: string = 'Third';\n" });
    await build({ root, onlyIfStale: true });
    expect(codeOf()).toEqual(expect.arrayContaining(second));
    expect(codeOf()).not.toEqual(expect.arrayContaining(first));
  });

  it('goes by what is in the files, not by when they were written', async () => {
    writeCheckout();
    await build({ root });
    utimesSync(join(root, 'gateway/hello.ts'), new Date(), new Date(Date.now() + 60_000));
    expect(await build({ root, onlyIfStale: true })).toEqual({ built: false });
  });

  it.each([
    ['a changed source', () => write({ 'gateway/greeting.ts': "export const greeting = 'Hi';\n" })],
    ['a new node', () => write({ 'nodes/verify.ts': 'export default 1;\n', 'nodes/verify.html': '' })],
    ['a changed flow', () => write({ 'flows/01-first.json': '[{}]' })],
    ['other dependencies', () => write({ 'package-lock.json': '{}' })],
    ['a file of the build that is gone', () => rmSync(join(root, 'dist/gateway/cli.js'))],
  ])('builds again for %s', async (_what, change) => {
    writeCheckout();
    await build({ root });
    change();
    expect(await build({ root, onlyIfStale: true })).toEqual({ built: true });
    expect(existsSync(join(root, 'dist/gateway/cli.js'))).toBe(true);
  });

  it('is done by one of several that start together, and all find it whole', async () => {
    writeCheckout();
    const module = pathToFileURL(join(import.meta.dirname, '..', '..', 'scripts', 'build.ts')).href;
    const script = `
      const { build } = await import(${JSON.stringify(module)});
      const { built } = await build({ root: ${JSON.stringify(root)}, onlyIfStale: true });
      process.stdout.write(String(built));`;
    const results = await Promise.all(
      [1, 2, 3].map(async () => {
        const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
        return output;
      }),
    );
    expect(results.sort()).toEqual(['false', 'false', 'true']);
    expect(await runBuilt()).toBe('Hello, line 1\n');
  });
});
