import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { mesScheme, prepareMesSigner, prepareMesVerifier } from '../../gateway/signing/mes.ts';
import { generateSecret } from '../../gateway/signing/secret.ts';

const secret = generateSecret();
const body = JSON.stringify({ id: 'evt-1', type: 'work_order.created', data: { note: 'Größe' } });
const expected = createHmac('sha256', Buffer.from(secret, 'utf8')).update(body, 'utf8').digest('hex');

const verify = (value: string | string[] | undefined, content: string | Uint8Array = body) =>
  prepareMesVerifier([secret])({ body: content, headers: { 'x-mes-signature': value }, nowSeconds: 0 });
const rejected = (reason: string) => expect.objectContaining({ valid: false, reason });

describe('the MES scheme', () => {
  it('signs with the whole secret as text, in bare lower-case hex', () => {
    expect(prepareMesSigner(secret)(body)).toBe(expected);
    expect(prepareMesSigner(secret)(Buffer.from(body))).toBe(expected);
    expect(mesScheme.sign({ secrets: [secret], body })).toEqual({ 'x-mes-signature': expected });
  });

  it('satisfies the verifier that the vendor shows in its documentation', () => {
    const parsed: unknown = JSON.parse(body);
    const naive = createHmac('sha256', secret).update(JSON.stringify(parsed)).digest('hex');
    expect(prepareMesSigner(secret)(body) === naive).toBe(true);
  });

  it('stays on the first, old secret during a rotation', () => {
    expect(mesScheme.sign({ secrets: [secret, generateSecret()], body })).toEqual({
      'x-mes-signature': expected,
    });
  });

  it('accepts any of its secrets and says which', () => {
    const request = { body, headers: { 'x-mes-signature': expected }, nowSeconds: 0 };
    expect(prepareMesVerifier([generateSecret(), secret])(request)).toEqual({
      valid: true,
      keyIndex: 1,
      timestampSeconds: null,
    });
  });

  it.each([
    [undefined, 'missing_signature'],
    ['', 'missing_signature'],
    [[expected], 'repeated_header'],
    [`${expected}, ${expected}`, 'malformed_signature'],
    [expected.slice(1), 'malformed_signature'],
    [expected.slice(2), 'malformed_signature'],
    [`${expected}0`, 'malformed_signature'],
    [`sha256=${expected}`, 'malformed_signature'],
    [`z${expected.slice(1)}`, 'malformed_signature'],
    [`é${expected.slice(1)}`, 'malformed_signature'],
    ['ABCDEF'.padEnd(64, '0'), 'malformed_signature'],
    [`${expected}\n`, 'malformed_signature'],
    ['0'.repeat(64), 'signature_mismatch'],
    ['0'.repeat(100_000), 'oversized_header'],
  ])('refuses %j as %s', (value, reason) => {
    expect(verify(value)).toEqual(rejected(reason));
  });

  it('signs the raw bytes: other spacing is another body, and a body need not be UTF-8', () => {
    expect(verify(expected, JSON.stringify(JSON.parse(body), null, 2))).toEqual(
      rejected('signature_mismatch'),
    );
    const bytes = Uint8Array.of(0xff, 0, 0xc3);
    expect(verify(prepareMesSigner(secret)(bytes), bytes)).toHaveProperty('valid', true);
  });

  it('tells nothing of the expected signature or the secret', () => {
    const text = JSON.stringify(verify('0'.repeat(64)));
    expect(text).not.toContain(expected);
    expect(text).not.toContain(secret);
  });

  it('refuses an empty secret and an empty list of them', () => {
    const missing = expect.objectContaining({ code: 'SECRET_MISSING' });
    expect(() => prepareMesSigner('')).toThrow(missing);
    expect(() => prepareMesVerifier([])).toThrow(missing);
    expect(() => mesScheme.prepareSigner({ secrets: [] })).toThrow(missing);
  });
});
