import { describe, expect, it } from 'vitest';

import { prepareStandardSigner } from '../../gateway/signing/standard.ts';

interface Example {
  verifyWebhook(
    body: string | Uint8Array,
    headers: Record<string, string>,
    secret: string,
    nowMs?: number,
  ): boolean;
}

const { verifyWebhook } = (await import(
  new URL('../../docs/snippets/verify-webhook.mjs', import.meta.url).href
)) as Example;

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const OLD_SECRET = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;
const NOW_MS = 1_700_000_000_000;
const BODY = '{"id":"evt-1","type":"work_order.created","data":{"note":"größer"}}';

function signed(secrets: string[], timestampSeconds = NOW_MS / 1000): Record<string, string> {
  return {
    'webhook-id': 'evt-1',
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': prepareStandardSigner(secrets)('evt-1', timestampSeconds, BODY),
  };
}

describe('the check that the README shows', () => {
  it('accepts what is delivered, as text and as bytes', () => {
    expect(verifyWebhook(BODY, signed([SECRET]), SECRET, NOW_MS)).toBe(true);
    expect(verifyWebhook(Buffer.from(BODY), signed([SECRET]), SECRET, NOW_MS)).toBe(true);
  });

  it('accepts either secret while a rotation lasts', () => {
    const headers = signed([SECRET, OLD_SECRET]);
    expect(verifyWebhook(BODY, headers, SECRET, NOW_MS)).toBe(true);
    expect(verifyWebhook(BODY, headers, OLD_SECRET, NOW_MS)).toBe(true);
  });

  it('refuses another body, id, time or secret', () => {
    const headers = signed([SECRET]);
    expect(verifyWebhook(`${BODY} `, headers, SECRET, NOW_MS)).toBe(false);
    expect(verifyWebhook(BODY, { ...headers, 'webhook-id': 'evt-2' }, SECRET, NOW_MS)).toBe(false);
    expect(verifyWebhook(BODY, { ...headers, 'webhook-timestamp': '1700000001' }, SECRET, NOW_MS)).toBe(
      false,
    );
    expect(verifyWebhook(BODY, headers, OLD_SECRET, NOW_MS)).toBe(false);
  });

  it('refuses what is older than five minutes, or from the future', () => {
    expect(verifyWebhook(BODY, signed([SECRET]), SECRET, NOW_MS + 300_000)).toBe(true);
    expect(verifyWebhook(BODY, signed([SECRET]), SECRET, NOW_MS + 301_000)).toBe(false);
    expect(verifyWebhook(BODY, signed([SECRET]), SECRET, NOW_MS - 301_000)).toBe(false);
  });

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])(
    'refuses a request without %s',
    (name) => {
      const { [name]: _, ...headers } = signed([SECRET]);
      expect(verifyWebhook(BODY, headers, SECRET, NOW_MS)).toBe(false);
    },
  );

  it('refuses entries that are no signature of version 1', () => {
    const { 'webhook-signature': signature, ...headers } = signed([SECRET]);
    for (const entries of [
      '',
      'v1,',
      'v1',
      `v2,${signature!.slice(3)}`,
      signature!.slice(3),
      signature!.slice(0, -3),
    ]) {
      expect(verifyWebhook(BODY, { ...headers, 'webhook-signature': entries }, SECRET, NOW_MS)).toBe(false);
    }
  });
});
