import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWebhookId, webhookIdHeader } from '../../gateway/signing/webhook-id.ts';

const hash16 = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** Any UTF-16, lone surrogates and control characters included. */
const anyUtf16 = fc.uint16Array({ maxLength: 300 }).map((units) => String.fromCharCode(...units));

describe('the webhook-id of an event', () => {
  it.each([
    'evt-123',
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    "!#$%&'*+-^_`|~",
    'a'.repeat(200),
    'evt_0123456789abcdef',
  ])('is the id %j itself', (id) => {
    expect(webhookIdHeader(id)).toBe(id);
  });

  it.each([
    ['wo.123', 'wo-123'],
    ['mes:evt-1', 'mes-evt-1'],
    ['a b', 'a-b'],
    ['Größe', 'Gr--e'],
    ['a\r\nx-evil: 1', 'a--x-evil--1'],
    ['', ''],
    ['a'.repeat(201), 'a'.repeat(180)],
    ['.'.repeat(5000), '-'.repeat(180)],
  ])('of %j is cleaned and marked by its hash', (id, cleaned) => {
    expect(webhookIdHeader(id)).toBe(`${cleaned}_${hash16(id)}`);
  });

  it('differs for ids that look the same when cleaned', () => {
    const ids = [
      'a.b',
      'a:b',
      'a b',
      'a-b',
      `${'x'.repeat(200)}1`,
      `${'x'.repeat(200)}2`,
      'x\ud800',
      'x\ud801',
    ];
    expect(new Set(ids.map(webhookIdHeader)).size).toBe(ids.length);
  });

  it('can always be sent and signed, and always stays the same', () => {
    fc.assert(
      fc.property(anyUtf16, (id) => {
        const header = webhookIdHeader(id);
        expect(isWebhookId(header)).toBe(true);
        expect(webhookIdHeader(id)).toBe(header);
        expect(webhookIdHeader(header)).toBe(header);
      }),
    );
  });

  it('is different for different ids', () => {
    const id = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.stringMatching(/^[ab.:]{0,6}$/),
      fc.string({ minLength: 195 }),
    );
    fc.assert(
      fc.property(id, id, (one, other) => {
        expect(webhookIdHeader(one) === webhookIdHeader(other)).toBe(one === other);
      }),
      { numRuns: 500 },
    );
  });
});
