import { describe, expect, it } from 'vitest';
import { maintainxScheme } from '../../gateway/signing/maintainx.ts';

const secrets = ['whsec_test'];
const timestamp = 1700000000;
const body =
  '{"newStatus":"APPROVED","oldStatus":"PENDING","occurredAt":"2026-01-01T00:00:00.000Z","orgId":1,"requestId":2}';
const hex = '185d008231cd9f29b08e77d644227325461031b740a9a478c517e72fe28d30cd';
const BODY_HEADER = 'x-maintainx-webhook-body-signature';
const URI_HEADER = 'x-maintainx-webhook-uri-signature';

const verify = (value: string | string[] | undefined, nowSeconds = timestamp) =>
  maintainxScheme.verify({ secrets, body, headers: { [BODY_HEADER]: value }, nowSeconds });
const rejected = (reason: string) => expect.objectContaining({ valid: false, reason });

describe('the MaintainX scheme', () => {
  it('makes and accepts the vector', () => {
    const value = `t=1700000000,v1=${hex}`;
    expect(maintainxScheme.sign({ secrets, body, timestamp })).toEqual({ [BODY_HEADER]: value });
    expect(verify(value)).toEqual({ valid: true, keyIndex: 0, timestampSeconds: timestamp });
    expect(verify(`v2=x, v1=${hex},t=1700000000`)).toHaveProperty('valid', true);
  });

  it('takes a time of 1e12 and more for milliseconds, and signs its literal text', () => {
    const headers = maintainxScheme.sign({ secrets, body, timestamp: 1_700_000_000_123 });
    expect(headers[BODY_HEADER]).toMatch(/^t=1700000000123,v1=/);
    expect(verify(headers[BODY_HEADER])).toEqual({
      valid: true,
      keyIndex: 0,
      timestampSeconds: 1_700_000_000.123,
    });
    expect(verify(headers[BODY_HEADER], timestamp + 300)).toHaveProperty('valid', true);
    expect(verify(headers[BODY_HEADER], timestamp + 301)).toEqual(rejected('timestamp_too_old'));
    expect(verify(headers[BODY_HEADER], timestamp - 301)).toEqual(rejected('timestamp_too_new'));
  });

  it.each([
    [undefined, 'missing_signature'],
    [[`t=1700000000,v1=${hex}`], 'repeated_header'],
    [hex, 'missing_timestamp'],
    [`v1=${hex}`, 'missing_timestamp'],
    [`t=,v1=${hex}`, 'malformed_timestamp'],
    [`t=17e8,v1=${hex}`, 'malformed_timestamp'],
    [`t=1700000000,t=1700000001,v1=${hex}`, 'malformed_timestamp'],
    ['t=1700000000', 'unsupported_version'],
    [`t=1700000000,v0=${hex}`, 'unsupported_version'],
    ['t=1700000000,v1=', 'malformed_signature'],
    [`t=1700000000,v1=${hex.slice(1)}`, 'malformed_signature'],
    [`t=1700000001,v1=${hex}`, 'signature_mismatch'],
    [`t=1700000000${`,v1=${hex}`.repeat(17)}`, 'too_many_signatures'],
    [`t=1700000000${','.repeat(1_000_000)}`, 'oversized_header'],
  ])('refuses %.80j as %s', (value, reason) => {
    expect(verify(value)).toEqual(rejected(reason));
  });

  it('signs and demands the address too where it is given', () => {
    const uri = 'https://plant.example/webhooks/maintainx?site=1';
    const headers = maintainxScheme.sign({ secrets, body, timestamp, uri });
    const check = (change: object) =>
      maintainxScheme.verify({ secrets, body, headers, nowSeconds: timestamp, uri, ...change });
    expect(Object.keys(headers)).toEqual([BODY_HEADER, URI_HEADER]);
    expect(check({})).toHaveProperty('valid', true);
    expect(check({ uri: `${uri}0` })).toEqual(rejected('signature_mismatch'));
    expect(check({ headers: { [BODY_HEADER]: headers[BODY_HEADER] } })).toEqual(
      rejected('missing_signature'),
    );
    expect(check({ uri: undefined })).toHaveProperty('valid', true);
  });
});
