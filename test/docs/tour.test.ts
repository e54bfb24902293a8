import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { createRandom } from '../../gateway/simulate/random.ts';
import { findSteadyPort } from '../chaos/steady-port.ts';
import { askOverHttp, openLiveClient } from '../support/graphql-client.ts';
import { childEnv, CLI_PATH, startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';
import { codeBlocks, PROJECT_ROOT, readDocument, textBetween } from './markdown.ts';
import { openTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** Some commands, and the lines that the README shows below them. */
interface Step {
  commands: string;
  /** `…` stands for anything. */
  shown: string[];
}

const TOUR_MS = 60_000;

let folder: TempFolder;
let ports: Record<string, number>;
let terminal: Terminal;
let product: Product | null = null;

beforeAll(async () => {
  folder = await makeTempFolder();
  await symlink(join(PROJECT_ROOT, 'docs'), join(folder.path, 'docs'));
  // Where npx looks first.
  const commands = join(folder.path, 'node_modules', '.bin');
  await mkdir(commands, { recursive: true });
  await symlink(CLI_PATH, join(commands, 'hookline'));
  // The README's ports may be taken. These stay the same over the restart in the middle of the tour.
  const random = createRandom(process.pid);
  ports = { '4000': 0, '1880': 0, '9000': 0 };
  for (const port of Object.keys(ports)) ports[port] = await findSteadyPort(random);
  terminal = openTerminal({
    cwd: folder.path,
    env: childEnv({
      HOME: folder.path,
      HOOKLINE_URL: `http://127.0.0.1:${ports['4000']}`,
      PORT: String(ports['9000']),
      // npm is not to look for news of itself.
      npm_config_offline: 'true',
      npm_config_update_notifier: 'false',
    }),
  });
});
afterAll(async () => {
  await terminal[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

it('does what the README says, command by command', { timeout: TOUR_MS }, async () => {
  const steps = tourSteps();
  expect(steps.length).toBeGreaterThan(10);
  for (const step of steps) {
    const from = terminal.lines.length;
    const shown = step.shown.map(patternOf);
    if (/(^|\s)npm start$/.test(step.commands)) {
      product = await restart(product, settingsBefore(step.commands));
      const { stdout } = product;
      await terminal.untilPrinted(
        shown.filter((pattern) => !stdout.some((line) => pattern.test(line))),
        from,
      );
    } else {
      await terminal.run(withPorts(step.commands));
      await terminal.untilPrinted(shown, from);
      await untilDelivered(product!);
    }
  }
});

function tourSteps(): Step[] {
  const steps: Step[] = [];
  for (const { language, code } of codeBlocks(
    textBetween(readDocument('README.md'), '<!-- tour -->', '<!-- tour end -->'),
  )) {
    if (language === 'bash') steps.push({ commands: code, shown: [] });
    if (language === 'text') steps.at(-1)!.shown.push(...code.split('\n'));
  }
  return steps;
}

function withPorts(text: string): string {
  return text.replace(/\b(?:4000|1880|9000)\b/g, (port) => String(ports[port]));
}

function patternOf(line: string): RegExp {
  const literal = withPorts(line).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('…', '.*')}$`);
}

/** `NAME=VALUE` before a command. */
function settingsBefore(command: string): Record<string, string> {
  return Object.fromEntries([...command.matchAll(/(\w+)=(\S+) /g)].map(([, name, value]) => [name!, value!]));
}

/** What `npm start` runs, once the build is there. At the first start the login link is opened as well. */
async function restart(running: Product | null, settings: Record<string, string>): Promise<Product> {
  if (running !== null) {
    const from = terminal.lines.length;
    await running[Symbol.asyncDispose]();
    // The follower has lost its connection, and has found nobody when it tried to get it back.
    await terminal.untilPrinted([/^not connected$/, /^not connected$/], from);
  }
  const started = await startProduct({
    dataDir: join(folder.path, '.hookline'),
    env: { HOOKLINE_PORT: String(ports['4000']), HOOKLINE_EDITOR_PORT: String(ports['1880']), ...settings },
  });
  if (running === null) await openLoginLink(started);
  return started;
}

/** As the page at `/` does. */
async function openLoginLink({ url, stdout }: Product): Promise<void> {
  const [, code] = /#login=(\S+)/.exec(stdout.join('\n'))!;
  const answer = await fetch(`${url}/login`, { method: 'POST', body: JSON.stringify({ code }) });
  expect(answer.status).toBe(200);
  const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
  const page = await fetch(`${url}/graphql?query={viewer{name}}`, {
    headers: { cookie, 'sec-fetch-site': 'same-origin' },
  });
  expect(await page.json()).toEqual({ data: { viewer: { name: 'admin' } } });
}

/** Whoever types is slower than a delivery. */
async function untilDelivered({ url, adminKey }: Product): Promise<void> {
  const client = openLiveClient(`${url}/graphql`, adminKey);
  try {
    for (;;) {
      const query =
        '{ deliveries(first: 1, filter: { statuses: [PENDING, SENDING] }) { liveCursor edges { cursor } } }';
      const { data } = await askOverHttp(`${url}/graphql`, { query, key: adminKey });
      const { edges, liveCursor } = data.deliveries;
      if (edges.length === 0) return;
      const changes = client.iterate({
        query: 'subscription Changes($after: String) { deliveries(after: $after) { cursor } }',
        variables: { after: liveCursor },
      });
      await changes.next();
      await changes.return?.();
    }
  } finally {
    await client.dispose();
  }
}
