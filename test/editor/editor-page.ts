import type { Page } from 'playwright-core';

/** The editor, in the hands of somebody with a mouse. */
export interface EditorPage {
  page: Page;
  /** Drags a node from the palette to the canvas. @returns its id */
  addNode(type: string, x: number, y: number): Promise<string>;
  /** Opens the dialog of a node on the canvas. */
  openDialog(id: string): Promise<void>;
  /** Confirms the topmost dialog and waits until it is gone. */
  confirmDialog(): Promise<void>;
  /** Deploys and waits until the editor says that it is done. */
  deploy(): Promise<void>;
  /** Waits until this is the text of the line under a node. */
  untilStatus(id: string, text: string): Promise<void>;
  /** The setting of a node as the editor holds it. */
  settingOf(id: string, name: string): Promise<unknown>;
  useDarkTheme(): Promise<void>;
  useLightTheme(): Promise<void>;
}

/** Waits until the editor is ready for use. */
export async function readyEditor(page: Page): Promise<EditorPage> {
  await page.waitForSelector('.red-ui-palette-node[data-palette-type="hookline-event"]', {
    state: 'attached',
  });
  await page.waitForFunction('window.RED && RED.nodes.getWorkspaceOrder().length > 0');
  // The splash screen goes when everything is loaded.
  await page.waitForSelector('#red-ui-main-container', { state: 'visible' });
  await page.waitForSelector('#red-ui-loading-progress', { state: 'hidden' });

  return {
    page,
    addNode: async (type, x, y) => {
      const before = await page.evaluate<string[]>(
        '(() => { const ids = []; RED.nodes.eachNode((n) => ids.push(n.id)); return ids; })()',
      );
      const entry = page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
      await entry.scrollIntoViewIfNeeded();
      const from = (await entry.boundingBox())!;
      const canvas = (await page.locator('#red-ui-workspace-chart').boundingBox())!;
      await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
      await page.mouse.down();
      await page.mouse.move(from.x + from.width, from.y + from.height, { steps: 8 });
      await page.mouse.move(canvas.x + x, canvas.y + y, { steps: 12 });
      await page.mouse.up();
      const added = await page.waitForFunction(
        `(() => { let id = null; const before = ${JSON.stringify(before)}; RED.nodes.eachNode((n) => { if (!before.includes(n.id)) id = n.id; }); return id; })()`,
      );
      return (await added.jsonValue()) as string;
    },
    openDialog: async (id) => {
      await page.locator(`[id="${id}"]`).dblclick();
      await page.waitForSelector('#node-dialog-ok');
      await page.waitForFunction("!$('.red-ui-tray').is(':animated')");
    },
    confirmDialog: async () => {
      const open = await page.locator('.red-ui-tray').count();
      await page.locator('#node-config-dialog-ok, #node-dialog-ok').last().click();
      await page.waitForFunction(`document.querySelectorAll('.red-ui-tray').length < ${open}`);
    },
    deploy: async () => {
      await page.locator('#red-ui-header-button-deploy').click();
      await page.waitForSelector('#red-ui-header-button-deploy.disabled');
    },
    untilStatus: async (id, text) => {
      await page.locator(`[id="${id}"] .red-ui-flow-node-status-label`).filter({ hasText: text }).waitFor();
    },
    settingOf: (id, name) => page.evaluate(`RED.nodes.node(${JSON.stringify(id)})[${JSON.stringify(name)}]`),
    useDarkTheme: async () => {
      await page.evaluate("document.documentElement.classList.add('nr-theme-dark')");
    },
    useLightTheme: async () => {
      await page.evaluate("document.documentElement.classList.remove('nr-theme-dark')");
    },
  };
}
