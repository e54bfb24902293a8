import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../support/browser.ts';
import { startTestGateway } from './support/test-gateway.ts';
import type { TestGateway } from './support/test-gateway.ts';
import { ADMIN_KEY } from './support/test-services.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

function askForPage(headers: Record<string, string> = {}): Promise<Response> {
  return fetch(gateway.url, { headers: { accept: 'text/html', ...headers } });
}

describe('the GraphiQL page', () => {
  it('is there for a browser without a key, and says nothing of the API', async () => {
    const response = await askForPage();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await response.text()).not.toContain('rotateEndpointSecret');
  });

  it('loads nothing from anywhere, and may not', async () => {
    const response = await askForPage();
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/https?:|\*/);
    const html = await response.text();
    const markup = html.replaceAll(/<script>[^]*?<\/script>|<style>[^]*?<\/style>/g, '');
    expect(markup).not.toMatch(/\s(src|href|action|data)\s*=(?!["']?data:)/i);
    const [, styles = ''] = /<style>([^]*?)<\/style>/.exec(html) ?? [];
    expect(styles.length).toBeGreaterThan(100_000);
    expect([...styles.matchAll(/url\((?!["']?data:)([^)]{0,80})/g)].map(([, url]) => url)).toEqual([]);
    expect(styles).not.toMatch(/@import/);
  });

  it('is sent compressed to who takes that', async () => {
    const [plain, zipped] = await Promise.all([
      askForPage({ 'accept-encoding': 'identity' }),
      askForPage({ 'accept-encoding': 'gzip' }),
    ]);
    expect(zipped.headers.get('content-encoding')).toBe('gzip');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await zipped.text()).toBe(await plain.text());
  });

  it('follows a subscription in a browser with a key that was typed in, and asks no other host', async () => {
    await using browser = await startBrowser();
    const query = encodeURIComponent('subscription { events { node { id } } }');
    const { page, problems } = await browser.open(`${gateway.url}?query=${query}`);
    await page.getByRole('button', { name: 'Headers' }).click();
    await page.locator('.graphiql-editor:not(.hidden) .view-lines').last().click();
    await page.keyboard.insertText(JSON.stringify({ authorization: `Bearer ${ADMIN_KEY}` }));
    const schemaLoaded = page.waitForResponse(
      (response) => response.request().method() === 'POST' && response.ok(),
    );
    await page.getByRole('button', { name: 'Re-fetch GraphQL schema' }).click();
    await schemaLoaded;
    // Typed keys are for this page alone.
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(ADMIN_KEY);
    await page.getByRole('button', { name: /Execute query/ }).click();
    await gateway.tails.untilOpen(1);
    const id = await gateway.storeEvent();
    await page.locator('.result-window', { hasText: id }).waitFor();
    expect(problems.filter((problem) => !problem.includes('401'))).toEqual([]);
  });
});
