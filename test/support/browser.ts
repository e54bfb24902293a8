import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** Nothing but what a test asks for goes over the network. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface PageOptions {
  /** @default 'en-US' */
  locale?: string;
}

/** A page that remembers what went wrong in it. */
export interface WatchedPage {
  page: Page;
  /** Errors of scripts and of the console, and requests to other hosts than 127.0.0.1. */
  problems: string[];
}

/** A Chromium without a window. */
export interface RunningBrowser extends AsyncDisposable {
  open(url: string, options?: PageOptions): Promise<WatchedPage>;
}

export async function startBrowser(): Promise<RunningBrowser> {
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  return {
    open: async (url, { locale = 'en-US' } = {}) => {
      const context = await browser.newContext({ locale, viewport: { width: 1400, height: 900 } });
      // Shorter than a test may take, so that it is the page which says what it waited for.
      context.setDefaultTimeout(15_000);
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      page.on('request', (request) => {
        const { protocol, hostname } = new URL(request.url());
        if (protocol.startsWith('http') && hostname !== '127.0.0.1')
          problems.push(`request to ${request.url()}`);
      });
      await page.goto(url);
      return { page, problems };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
