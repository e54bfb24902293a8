import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnoseSignature } from '../../gateway/signing/diagnose.ts';
import { restringifiedBody } from '../../gateway/signing/restringified-body.ts';
import { SCHEMES } from '../../gateway/signing/schemes.ts';
import { generateSecret, parseSecret } from '../../gateway/signing/secret.ts';

const secret = generateSecret();
const raw = Buffer.from('{ "event": "alarm",\r\n "machine": "M-1" }\n');
const time = '1700000000';
const hmac = (digest: string, key: string | Uint8Array, content: string | Uint8Array) =>
  createHmac(digest, key).update(content);

const diagnose = (headers: Record<string, string | string[] | undefined>, secrets = [secret]) =>
  diagnoseSignature({ body: raw, headers, secrets });

describe('the diagnosis of an unknown signature', () => {
  it.each([
    [
      'sha256 in hex in header x-sig, over the raw body, with the secret as text',
      hmac('sha256', secret, raw).digest('hex'),
    ],
    [
      'sha512 in base64 in header x-sig, over the raw body, with the secret as text',
      hmac('sha512', secret, raw).digest('base64'),
    ],
    [
      'sha384 in hex in header x-sig, over the raw body, with the secret as text',
      hmac('sha384', secret, raw).digest('hex'),
    ],
    [
      'sha256 in hex in upper case in header x-sig, over the raw body, with the secret as text',
      hmac('sha256', secret, raw).digest('hex').toUpperCase(),
    ],
    [
      'sha256 in base64 without padding in header x-sig, over the raw body, with the secret as text',
      hmac('sha256', secret, raw).digest('base64').slice(0, -1),
    ],
    [
      'sha256 in hex after "sha256=" in header x-sig, over the raw body, with the secret as text',
      `sha256=${hmac('sha256', secret, raw).digest('hex')}`,
    ],
    [
      'sha256 in hex in header x-sig, over the raw body, with the secret decoded from base64',
      hmac('sha256', parseSecret(secret), raw).digest('hex'),
    ],
    [
      'sha256 in hex in header x-sig, over the raw body, with the secret as text without its whsec_',
      hmac('sha256', secret.slice(6), raw).digest('hex'),
    ],
    [
      'sha256 in hex in header x-sig, over JSON.stringify(JSON.parse(body)), with the secret as text',
      hmac('sha256', secret, '{"event":"alarm","machine":"M-1"}').digest('hex'),
    ],
    [
      'sha256 in hex in header x-sig, over the body without the white space around it, with the secret as text',
      hmac('sha256', secret, raw.toString().trim()).digest('hex'),
    ],
    [
      'sha256 in hex in header x-sig, over header x-time, ".", the raw body, with the secret as text',
      hmac('sha256', secret, `${time}.${raw.toString()}`).digest('hex'),
    ],
    [
      'sha256 in hex in header x-sig, over header x-request-id, ".", header x-time, ".", the raw body, with the secret as text',
      hmac('sha256', secret, `r1.${time}.${raw.toString()}`).digest('hex'),
    ],
    [
      'sha256 in hex in header x-sig, over an empty body, with the secret as text',
      hmac('sha256', secret, '').digest('hex'),
    ],
  ])('finds: %s', (name, value) => {
    expect(diagnose({ host: 'x', 'x-time': time, 'x-request-id': 'r1', 'x-sig': value })).toEqual([name]);
  });

  it('finds the time inside the signature header', () => {
    const hex = hmac('sha256', secret, `${time}.${raw.toString()}`).digest('hex');
    expect(diagnose({ 'x-sig': `t=${time},v1=${hex}` })).toEqual([
      `sha256 in hex after "t=${time},v1=" in header x-sig, over the t of header x-sig, ".", the raw body, with the secret as text`,
    ]);
  });

  it('names the known schemes that match, however old the request is', () => {
    for (const name of ['mes', 'standard', 'maintainx', 'slack', 'github', 'stripe'] as const) {
      const headers = SCHEMES[name].sign({
        secrets: [secret],
        body: raw,
        id: 'evt-1',
        timestamp: 1_000_000_000,
      });
      expect(diagnose(headers, ['another secret', secret])).toContain(`scheme ${name}`);
    }
  });

  it('tells several secrets apart', () => {
    const value = hmac('sha256', 'two', raw).digest('hex');
    expect(diagnose({ 'x-sig': value }, ['one', 'two'])).toEqual([
      'sha256 in hex in header x-sig, over the raw body, with the secret 2 as text',
    ]);
    expect(
      diagnose({ 'x-sig': hmac('sha256', Buffer.from('c0ffee', 'hex'), raw).digest('hex') }, ['c0ffee']),
    ).toEqual(['sha256 in hex in header x-sig, over the raw body, with the secret decoded from hex']);
  });

  it('finds nothing with the wrong secret, without a secret or without a signature', () => {
    const value = hmac('sha256', 'other', raw).digest('hex');
    expect(diagnose({ 'x-sig': value })).toEqual([]);
    expect(diagnose({ 'x-sig': value }, [])).toEqual([]);
    expect(diagnose({ 'x-sig': value }, [''])).toEqual([]);
    expect(diagnose({})).toEqual([]);
  });

  it('never throws on any body and headers', () => {
    const text = fc.oneof(
      fc.uint16Array({ maxLength: 100 }).map((units) => String.fromCharCode(...units)),
      fc.stringMatching(/^[A-Za-z0-9+/=_-]{40,130}$/),
    );
    const headers = fc.dictionary(
      fc.string({ maxLength: 12 }),
      fc.oneof(text, fc.array(text, { maxLength: 6 })),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), headers, fc.string(), (body, given, key) => {
        expect(diagnoseSignature({ body, headers: given, secrets: [key] })).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('still finds the likely variants over a large body, and stops', () => {
    const large = Buffer.alloc(1024 * 1024, 'x');
    const value = hmac('sha256', secret, large).digest('hex');
    expect(
      diagnoseSignature({ body: large, headers: { 'x-sig': value, 'x-time': time }, secrets: [secret] }),
    ).toEqual(['sha256 in hex in header x-sig, over the raw body, with the secret as text']);
  });
});

describe('the re-stringified body', () => {
  it('is what JSON.stringify makes of it, where that differs', () => {
    expect(restringifiedBody(Buffer.from('{ "a" : 1.0 }'))).toBe('{"a":1}');
    expect(restringifiedBody(Buffer.from('{"a":1}'))).toBeNull();
  });

  it('is none for what is not JSON, not UTF-8 or nested too deeply', () => {
    expect(restringifiedBody(Buffer.from('a=1&b=2'))).toBeNull();
    expect(restringifiedBody(Uint8Array.of(0x22, 0xff, 0x22))).toBeNull();
    expect(() => restringifiedBody(Buffer.from('['.repeat(500_000)))).not.toThrow();
  });
});
