import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEditorDefinition } from '../flows/node-defaults.ts';
import { startFakeGateway } from '../nodes/support/fake-gateway.ts';
import type { FakeGateway } from '../nodes/support/fake-gateway.ts';
import { startBrowser } from '../support/browser.ts';
import type { RunningBrowser, WatchedPage } from '../support/browser.ts';
import { startNodeRed } from '../support/node-red.ts';
import type { RunningNodeRed } from '../support/node-red.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';
import { readyEditor } from './editor-page.ts';
import type { EditorPage } from './editor-page.ts';

let gateway: FakeGateway;
let nodeRed: RunningNodeRed;
let browser: RunningBrowser;
let folder: TempFolder;
let screenshots: string;

beforeAll(async () => {
  folder = await makeTempFolder();
  // Set it to keep the pictures: `EDITOR_SCREENSHOTS=/tmp/editor npx vitest run test/editor`.
  screenshots = process.env['EDITOR_SCREENSHOTS'] ?? folder.path;
  mkdirSync(screenshots, { recursive: true });
  gateway = await startFakeGateway();
  nodeRed = await startNodeRed({
    flows: [
      { id: 'tab', type: 'tab', label: 'Line 4' },
      { id: 'gw', type: 'hookline-gateway', name: '', url: '' },
    ],
    env: { HOOKLINE_URL: gateway.url, HOOKLINE_FLOW_KEY: gateway.key },
  });
  browser = await startBrowser();
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await nodeRed[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Both themes of what is on the screen. */
async function takePictures({ page, useDarkTheme, useLightTheme }: EditorPage, name: string): Promise<void> {
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
  await useDarkTheme();
  await page.screenshot({ path: join(screenshots, `${name}-dark.png`) });
  await useLightTheme();
}

describe('in the editor', () => {
  let watched: WatchedPage;
  let editor: EditorPage;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    watched = await browser.open(nodeRed.url);
    editor = await readyEditor(watched.page);
  });

  it('a new node takes the only gateway there is, and is valid as it is dropped', async () => {
    const types = ['hookline-event', 'hookline-publish', 'hookline-verify', 'hookline-webhook'];
    for (const [row, type] of types.entries()) ids[type] = await editor.addNode(type, 260, 80 + 90 * row);
    for (const type of types) {
      expect(await editor.settingOf(ids[type]!, 'valid')).toBe(true);
      const { defaults } = readEditorDefinition(type);
      if ('gateway' in defaults) expect(await editor.settingOf(ids[type]!, 'gateway')).toBe('gw');
    }
  });

  it('an event node offers the types of the catalogue, and has an output for each where asked', async () => {
    const id = ids['hookline-event']!;
    await editor.openDialog(id);
    await editor.page.locator('.red-ui-editableList-addButton').click();
    await editor.page
      .locator('.red-ui-autoComplete-container')
      .getByText('work_order.completed', { exact: true })
      .waitFor();
    await takePictures(editor, 'event-suggestions');
    await editor.page.keyboard.type('completed');
    await editor.page
      .locator('.red-ui-autoComplete-container')
      .getByText('work_order.completed', { exact: true })
      .click();
    await editor.page.locator('.hookline-event-type').first().fill('quality.*');
    await editor.page.locator('#node-input-perType').check();
    await takePictures(editor, 'event');
    await editor.confirmDialog();
    expect(await editor.settingOf(id, 'events')).toEqual(['quality.*', 'work_order.completed']);
    expect(await editor.settingOf(id, 'outputs')).toBe(2);
  });

  it('a publish node takes a type of its own', async () => {
    const id = ids['hookline-publish']!;
    await editor.openDialog(id);
    await editor.page.evaluate(
      "$('#node-input-event').typedInput('type', 'str').typedInput('value', 'quality.ncr_created')",
    );
    await takePictures(editor, 'publish');
    await editor.confirmDialog();
    expect(await editor.settingOf(id, 'event')).toBe('quality.ncr_created');
    expect(await editor.settingOf(id, 'eventType')).toBe('str');
  });

  it('a verify node asks for what the chosen sender needs', async () => {
    const id = ids['hookline-verify']!;
    await editor.openDialog(id);
    const { page } = editor;
    expect(await page.locator('#node-input-tolerance').isVisible()).toBe(false);
    await page.locator('#node-input-scheme').selectOption('slack');
    expect(await page.locator('#node-input-tolerance').isVisible()).toBe(true);
    expect(await page.locator('#node-input-header').isVisible()).toBe(false);
    await page.locator('#node-input-scheme').selectOption('custom');
    expect(await page.locator('#node-input-timestampHeader').isVisible()).toBe(false);
    await page.locator('#node-input-template').fill('{timestamp}.{body}');
    expect(await page.locator('#node-input-timestampHeader').isVisible()).toBe(true);
    await takePictures(editor, 'verify-custom');
    await page.locator('#node-input-scheme').selectOption('mes');
    await page.locator('#node-input-secret').fill('the secret of the MES');
    await takePictures(editor, 'verify');
    await editor.confirmDialog();
  });

  it('a webhook node makes a secret and shows it this once', async () => {
    const id = ids['hookline-webhook']!;
    await editor.openDialog(id);
    const { page } = editor;
    await page.locator('#node-input-preset').selectOption('make');
    await page.locator('#node-input-url').fill('https://receiver.example/hook');
    expect(await page.locator('#hookline-webhook-url-hint').textContent()).toContain('make.com');
    await page.locator('#hookline-webhook-generate').click();
    const shown = (await page.locator('#hookline-webhook-secret-hint code').textContent()) ?? '';
    expect(Buffer.from(shown.replace('whsec_', ''), 'base64')).toHaveLength(32);
    expect(await page.locator('#node-input-secret').inputValue()).toBe(shown);
    await page.locator('.red-ui-editableList-addButton').click();
    await page.locator('.hookline-header-name').fill('authorization');
    await page.locator('.hookline-header-value').fill('Bearer of the receiver');
    await page.locator('.hookline-header-secret').check();
    expect(await page.locator('.hookline-header-value').getAttribute('type')).toBe('password');
    await takePictures(editor, 'webhook');
    await editor.confirmDialog();
    expect(await editor.settingOf(id, 'headers')).toEqual([]);
  });

  it('a deploy declares what was entered, and the flow holds no secret', async () => {
    await editor.deploy();
    const endpoints = await gateway.until('the declaration', () =>
      gateway.applied.map((input) => input.endpoints).find((list) => list.length === 2),
    );
    expect(endpoints.find(({ kind }) => kind === 'FLOW')).toMatchObject({
      events: ['quality.*', 'work_order.completed'],
    });
    expect(endpoints.find(({ kind }) => kind === 'WEBHOOK')).toMatchObject({
      url: 'https://receiver.example/hook',
      secret: expect.stringMatching(/^whsec_/),
      headers: [{ name: 'authorization', value: 'Bearer of the receiver', secret: true }],
    });
    const stored = JSON.stringify(await nodeRed.admin('/flows'));
    for (const secret of ['receiver.example', 'whsec_', 'Bearer of', 'the secret of'])
      expect(stored).not.toContain(secret);
    await editor.untilStatus(ids['hookline-event']!, 'waiting');
    await takePictures(editor, 'deployed');
  });

  it('a webhook dialog that is opened again shows the URL and not the secret', async () => {
    await editor.openDialog(ids['hookline-webhook']!);
    const { page } = editor;
    expect(await page.locator('#node-input-url').inputValue()).toBe('https://receiver.example/hook');
    expect(await page.locator('#node-input-secret').inputValue()).toBe('__PWRD__');
    expect(await page.locator('.hookline-header-name').inputValue()).toBe('authorization');
    await editor.confirmDialog();
  });

  it('the gateway dialog says that the gateway answers, and where the MES is to post to', async () => {
    const { page } = editor;
    await page.evaluate("RED.editor.editConfig('', 'hookline-gateway', 'gw')");
    await page.locator('#hookline-gateway-receiver').getByText(`${gateway.url}/webhooks/mes`).waitFor();
    expect(await page.locator('#hookline-gateway-status-text').textContent()).toContain('fake flow key');
    await takePictures(editor, 'gateway');
    await editor.confirmDialog();
  });

  it('every node has its help', async () => {
    for (const name of ['gateway', 'event', 'publish', 'verify', 'webhook']) {
      expect(await editor.page.evaluate(`RED.nodes.getNodeHelp('hookline-${name}')`)).toContain('<h3');
    }
  });

  it('nothing goes wrong, and nothing outside is asked', () => {
    expect(watched.problems).toEqual([]);
  });
});

describe('in a German editor', () => {
  it('the palette and the status speak German', async () => {
    const { page, problems } = await browser.open(nodeRed.url, { locale: 'de-DE' });
    await readyEditor(page);
    const palette = page.locator('.red-ui-palette-node[data-palette-type="hookline-verify"]');
    expect(await palette.textContent()).toContain('Signatur');
    await page.locator('.red-ui-flow-node-status-label').getByText('wartet').waitFor();
    expect(problems).toEqual([]);
  });
});

describe('the import dialog', () => {
  it('offers the example flows, and imports one', async () => {
    const { page, problems } = await browser.open(nodeRed.url);
    const editor = await readyEditor(page);
    await page.evaluate("RED.actions.invoke('core:show-examples-import-dialog')");
    const examples = page.locator('#red-ui-clipboard-dialog-import-tab-examples');
    await examples.getByText('@hookline/node-red').click();
    await examples.getByText('01-show-every-event').click();
    await takePictures(editor, 'examples');
    await page.locator('#red-ui-clipboard-dialog-ok').click();
    await page.waitForFunction("RED.nodes.filterNodes({ type: 'comment' }).length === 1");
    expect(problems).toEqual([]);
  });
});
