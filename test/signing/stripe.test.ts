import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { stripeScheme } from '../../gateway/signing/stripe.ts';

const secret = 'whsec_ABEiM0RVZneImaq7zN3u/w==';
const timestamp = 1700000000;
const body = '{"id":"evt_1","object":"event"}';
const hexWith = (text: string) => createHmac('sha256', text).update(`${timestamp}.${body}`).digest('hex');

const verify = (value: string | undefined, nowSeconds = timestamp) =>
  stripeScheme.verify({ secrets: [secret], body, headers: { 'stripe-signature': value }, nowSeconds });

describe('the Stripe scheme', () => {
  it('uses the secret as text, prefix and all', () => {
    const value = `t=1700000000,v1=${hexWith(secret)}`;
    expect(stripeScheme.sign({ secrets: [secret], body, timestamp })).toEqual({ 'stripe-signature': value });
    expect(verify(value)).toEqual({ valid: true, keyIndex: 0, timestampSeconds: timestamp });
  });

  it('lists a signature of each secret during a rotation, and accepts any that matches', () => {
    const value = `t=1700000000,v1=${hexWith('next')},v1=${hexWith(secret)}`;
    expect(stripeScheme.sign({ secrets: ['next', secret], body, timestamp })).toEqual({
      'stripe-signature': value,
    });
    expect(verify(value)).toHaveProperty('valid', true);
    expect(verify(`t=1700000000,v1=bad,v1=${hexWith(secret)},v0=x`)).toHaveProperty('valid', true);
  });

  it('refuses a test-mode signature alone, a stale time and milliseconds', () => {
    const hex = hexWith(secret);
    expect(verify(`t=1700000000,v0=${hex}`)).toHaveProperty('reason', 'unsupported_version');
    expect(verify(`t=1700000000,v1=${hex}`, timestamp + 301)).toHaveProperty('reason', 'timestamp_too_old');
    expect(verify(`t=1700000000000,v1=${hex}`)).toHaveProperty('reason', 'timestamp_too_new');
    expect(verify(`t=1700000000,v1=${hexWith('other')}`)).toHaveProperty('reason', 'signature_mismatch');
  });
});
