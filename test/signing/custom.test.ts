import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { customScheme } from '../../gateway/signing/custom.ts';
import type { CustomOptions } from '../../gateway/signing/scheme.ts';

const secrets = ['shop floor secret'];
const body = '{"event":"{timestamp}{id}{body}$&"}';
const timestamp = 1700000000;
const invalid = expect.objectContaining({ name: 'SigningError', code: 'CUSTOM_INVALID' });

const sign = (custom: CustomOptions) => customScheme.sign({ secrets, body, id: 'evt-1', timestamp, custom });

describe('the custom scheme', () => {
  it('signs the body in hex by default', () => {
    const expected = createHmac('sha256', 'shop floor secret').update(body).digest('hex');
    expect(sign({ headerName: 'X-Signature' })).toEqual({ 'x-signature': expected });
  });

  it.each([
    ['sha256', 'hex'],
    ['sha256', 'base64'],
    ['sha384', 'hex'],
    ['sha384', 'base64'],
    ['sha512', 'hex'],
    ['sha512', 'base64'],
  ] as const)('signs with %s in %s and verifies it', (digest, encoding) => {
    const custom = { headerName: 'x-signature', prefix: 'HMAC ', digest, encoding };
    const headers = sign(custom);
    const expected = createHmac(digest, 'shop floor secret').update(body).digest(encoding);
    expect(headers).toEqual({ 'x-signature': `HMAC ${expected}` });
    const request = { secrets, custom, headers, nowSeconds: 0 };
    expect(customScheme.verify({ ...request, body })).toEqual({
      valid: true,
      keyIndex: 0,
      timestampSeconds: null,
    });
    expect(customScheme.verify({ ...request, body: `${body} ` })).toHaveProperty(
      'reason',
      'signature_mismatch',
    );
  });

  it('fills the template once: what a body looks like means nothing', () => {
    const custom = {
      headerName: 'x-sig',
      template: 'a{id}|{timestamp}|{body}{"x"}',
      idHeader: 'X-Id',
      timestampHeader: 'x-time',
    };
    const expected = createHmac('sha256', 'shop floor secret')
      .update(`aevt-1|1700000000|${body}{"x"}`)
      .digest('hex');
    const headers = sign(custom);
    expect(headers).toEqual({ 'x-id': 'evt-1', 'x-time': '1700000000', 'x-sig': expected });
    expect(customScheme.headers(custom)).toEqual({ signature: 'x-sig', timestamp: 'x-time', id: 'x-id' });
    const request = { secrets, custom, body, headers, nowSeconds: timestamp };
    expect(customScheme.verify(request)).toEqual({ valid: true, keyIndex: 0, timestampSeconds: timestamp });
    expect(customScheme.verify({ ...request, nowSeconds: timestamp + 301 })).toHaveProperty(
      'reason',
      'timestamp_too_old',
    );
    const without = (name: string) =>
      customScheme.verify({ ...request, headers: { ...headers, [name]: undefined } });
    expect(without('x-id')).toHaveProperty('reason', 'missing_id');
    expect(without('x-time')).toHaveProperty('reason', 'missing_timestamp');
    expect(without('x-sig')).toHaveProperty('reason', 'missing_signature');
  });

  it('takes any text for a time where its age does not matter', () => {
    const custom = { headerName: 'x-sig', template: '{timestamp}.{body}', timestampHeader: 'x-time' };
    const time = '2026-01-01T00:00:00Z';
    const hex = createHmac('sha256', 'shop floor secret').update(`${time}.${body}`).digest('hex');
    const request = { secrets, custom, body, headers: { 'x-sig': hex, 'x-time': time }, nowSeconds: 0 };
    expect(customScheme.verify(request)).toHaveProperty('reason', 'malformed_timestamp');
    expect(customScheme.verify({ ...request, toleranceSeconds: null })).toHaveProperty('valid', true);
  });

  it('accepts hex in upper case, and a missing prefix never', () => {
    const custom = { headerName: 'x-sig', prefix: 'v=' };
    const value = sign(custom)['x-sig'] ?? '';
    const verify = (text: string) =>
      customScheme.verify({ secrets, custom, body, headers: { 'x-sig': text }, nowSeconds: 0 });
    expect(verify(`v=${value.slice(2).toUpperCase()}`)).toHaveProperty('valid', true);
    for (const bad of [value.slice(2), value.slice(0, -1), `V=${value.slice(2)}`, `v=${value}`, 'v=']) {
      expect(verify(bad)).toHaveProperty('reason', 'malformed_signature');
    }
  });

  it.each<[string, CustomOptions | undefined]>([
    ['no options', undefined],
    ['a header name that is none', { headerName: 'x signature' }],
    ['no header name', { headerName: '' }],
    ['a line break in the prefix', { headerName: 'x-sig', prefix: 'a\r\nb' }],
    ['a template without the body', { headerName: 'x-sig', template: '{timestamp}' }],
    ['an unknown place', { headerName: 'x-sig', template: '{nonce}{body}' }],
    ['an unknown encoding', { headerName: 'x-sig', encoding: 'base32' as 'hex' }],
    ['an unknown digest', { headerName: 'x-sig', digest: 'md5' as 'sha256' }],
    ['a digest of the prototype', { headerName: 'x-sig', digest: 'constructor' as 'sha256' }],
    ['one header for two things', { headerName: 'Webhook-Timestamp', template: '{timestamp}{body}' }],
  ])('refuses %s', (_, custom) => {
    expect(() => customScheme.prepareVerifier({ secrets, custom })).toThrow(invalid);
    expect(() => customScheme.prepareSigner({ secrets, custom })).toThrow(invalid);
  });

  it('does not sign an id that would break the header', () => {
    const custom = { headerName: 'x-sig', template: '{id}{body}' };
    expect(() => customScheme.sign({ secrets, body, id: 'a\r\nb', custom })).toThrow(
      expect.objectContaining({ code: 'ID_INVALID' }),
    );
  });

  it('is not misled by header names that every object has', () => {
    for (const headerName of ['__proto__', 'constructor', 'toString']) {
      const custom = { headerName };
      const verification = customScheme.verify({ secrets, custom, body, headers: {}, nowSeconds: 0 });
      expect(verification).toHaveProperty('reason', 'missing_signature');
    }
  });
});
