import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { generateKeyPair, generateSecret } from '../../gateway/signing/secret.ts';
import {
  prepareStandardSigner,
  prepareStandardVerifier,
  standardScheme,
} from '../../gateway/signing/standard.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const timestamp = 1614265330;
const body = '{"test": 2432232314}';
const good = 'g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

const code = (code: string) => expect.objectContaining({ name: 'SigningError', code });

interface Changes {
  id?: string | string[] | undefined;
  time?: string | undefined;
  signature?: string | string[] | undefined;
  nowSeconds?: number;
  body?: string | Uint8Array;
}

function verifyWith(verify: ReturnType<typeof prepareStandardVerifier>, changes: Changes) {
  const value = {
    id,
    time: String(timestamp),
    signature: `v1,${good}`,
    nowSeconds: timestamp,
    body,
    ...changes,
  };
  return verify({
    body: value.body,
    headers: {
      'webhook-id': value.id,
      'webhook-timestamp': value.time,
      'webhook-signature': value.signature,
    },
    nowSeconds: value.nowSeconds,
  });
}

const verify = (changes: Changes = {}) => verifyWith(prepareStandardVerifier({ secrets: [secret] }), changes);
const rejected = (reason: string) => expect.objectContaining({ valid: false, reason });
const accepted = expect.objectContaining({ valid: true });

describe('signing with v1', () => {
  it('makes the signatures of the published vectors', () => {
    const sign = prepareStandardSigner([secret]);
    expect(sign(id, timestamp, body)).toBe(`v1,${good}`);
    expect(sign(id, timestamp, Buffer.from(body))).toBe(`v1,${good}`);
    expect(sign(id, timestamp, 'a'.repeat(1_048_576))).toBe(
      'v1,txpEUxqWZJ5nteTnymUVa+7C4NHpBeXJ6CsBAW0c3/A=',
    );
  });

  it('makes all three headers', () => {
    expect(standardScheme.sign({ secrets: [secret], id, timestamp, body })).toEqual({
      'webhook-id': id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': `v1,${good}`,
    });
  });

  it('lists a signature of each secret during a rotation, and either receiver accepts', () => {
    const next = generateSecret();
    const signature = prepareStandardSigner([secret, next])(id, timestamp, body);
    expect(signature).toMatch(/^v1,\S{44} v1,\S{44}$/);
    expect(verify({ signature })).toEqual({ valid: true, keyIndex: 0, timestampSeconds: timestamp });
    expect(verifyWith(prepareStandardVerifier({ secrets: [next] }), { signature })).toEqual(accepted);
    expect(verifyWith(prepareStandardVerifier({ secrets: [generateSecret(), next] }), { signature })).toEqual(
      expect.objectContaining({ valid: true, keyIndex: 1 }),
    );
  });

  it.each(['a.b', '', 'a b', 'a\r\nx-evil: 1', 'ü', 'a'.repeat(201), undefined])(
    'does not sign the id %j',
    (bad) => {
      expect(() => standardScheme.sign({ secrets: [secret], id: bad, timestamp, body })).toThrow(
        code('ID_INVALID'),
      );
    },
  );

  it.each([undefined, -1, 1.5, Number.NaN, 1_614_265_330_000])('does not sign the time %j', (bad) => {
    expect(() => standardScheme.sign({ secrets: [secret], id, timestamp: bad, body })).toThrow(
      code('TIMESTAMP_INVALID'),
    );
  });

  it('refuses to prepare without a usable secret', () => {
    expect(() => prepareStandardSigner([])).toThrow(code('SECRET_MISSING'));
    expect(() => prepareStandardSigner([generateKeyPair().publicKey])).toThrow(code('SECRET_KIND'));
    expect(() => prepareStandardVerifier({ secrets: [] })).toThrow(code('SECRET_MISSING'));
    expect(() => prepareStandardVerifier({ secrets: ['hwsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] })).toThrow(
      code('SECRET_ENCODING'),
    );
  });
});

describe('verifying v1', () => {
  it('accepts the good signature wherever it stands in the list', () => {
    expect(verify()).toEqual(accepted);
    expect(verify({ signature: `v1,bad v2,bad v1,${good} v1,bad` })).toEqual(accepted);
    expect(verify({ signature: `v2,${good} v1,${good}` })).toEqual(accepted);
  });

  it('accepts a secret without padding', () => {
    const padded = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
    const signature = prepareStandardSigner([padded])(id, timestamp, body);
    expect(verifyWith(prepareStandardVerifier({ secrets: [padded.slice(0, -1)] }), { signature })).toEqual(
      accepted,
    );
  });

  it.each([
    ['v1,', 'malformed_signature'],
    ['v1', 'malformed_signature'],
    [`v1,${good.slice(0, -2)}`, 'malformed_signature'],
    [`v1,${good.slice(0, -1)}`, 'malformed_signature'],
    [`v1,${good}=`, 'malformed_signature'],
    [`v1, ${good}`, 'malformed_signature'],
    [`v1,${good},`, 'malformed_signature'],
    // The same bytes in another spelling: only the last character's spare bits differ.
    [`v1,${good.slice(0, -2)}F=`, 'signature_mismatch'],
    [`v1,${good.slice(0, -2)}A=`, 'signature_mismatch'],
    [`v1,h${good.slice(1)}`, 'signature_mismatch'],
    [`v2,${good}`, 'unsupported_version'],
    [`v1a,${good}`, 'unsupported_version'],
    [good, 'unsupported_version'],
    [' ', 'unsupported_version'],
    ['constructor,x', 'unsupported_version'],
    [Array(17).fill('v1,x').join(' '), 'too_many_signatures'],
    ['v1,x '.repeat(1000), 'oversized_header'],
  ])('refuses the signature %j as %s', (signature, reason) => {
    expect(verify({ signature })).toEqual(rejected(reason));
  });

  it('refuses a request without any one of its headers, or with one twice', () => {
    expect(verify({ id: undefined })).toEqual(rejected('missing_id'));
    expect(verify({ time: undefined })).toEqual(rejected('missing_timestamp'));
    expect(verify({ signature: undefined })).toEqual(rejected('missing_signature'));
    expect(verify({ signature: '' })).toEqual(rejected('missing_signature'));
    expect(verify({ signature: [`v1,${good}`, `v1,${good}`] })).toEqual(rejected('repeated_header'));
    expect(verify({ id: [id] })).toEqual(rejected('repeated_header'));
  });

  it('accepts 300 s of difference both ways and refuses 301', () => {
    expect(verify({ nowSeconds: timestamp + 300 })).toEqual(accepted);
    expect(verify({ nowSeconds: timestamp + 300.9 })).toEqual(accepted);
    expect(verify({ nowSeconds: timestamp - 300 })).toEqual(accepted);
    expect(verify({ nowSeconds: timestamp + 301 })).toEqual(rejected('timestamp_too_old'));
    expect(verify({ nowSeconds: timestamp - 301 })).toEqual(rejected('timestamp_too_new'));
    expect(verify({ nowSeconds: Number.NaN })).toEqual(rejected('timestamp_too_old'));
  });

  it('takes another tolerance, or none', () => {
    const exact = prepareStandardVerifier({ secrets: [secret], toleranceSeconds: 0 });
    expect(verifyWith(exact, {})).toEqual(accepted);
    expect(verifyWith(exact, { nowSeconds: timestamp + 1 })).toEqual(rejected('timestamp_too_old'));
    const any = prepareStandardVerifier({ secrets: [secret], toleranceSeconds: null });
    expect(verifyWith(any, { nowSeconds: 0 })).toEqual(accepted);
  });

  it.each([
    '123abc',
    '1614265330abc',
    '1614265330.0',
    '1e9',
    '-1',
    '+1614265330',
    ' 1614265330',
    '01614265330',
    '0x1',
    '1614265330, 1614265330',
    '٣',
  ])('refuses the timestamp %j', (time) => {
    expect(verify({ time })).toEqual(rejected('malformed_timestamp'));
  });

  it('says that milliseconds are not seconds', () => {
    const verification = verify({ time: '1614265330000' });
    expect(verification).toEqual(rejected('timestamp_too_new'));
    expect(verification).toHaveProperty('message', expect.stringContaining('milliseconds'));
  });

  it('refuses an id that could move the border of the signed content', () => {
    // "msg" + "1614265330" + "1614265330.x" and "msg.1614265330" + "1614265330" + "x" are the same bytes.
    const signature = prepareStandardSigner([secret])('msg', timestamp, `${timestamp}.x`);
    expect(verify({ id: 'msg', signature, body: `${timestamp}.x` })).toEqual(accepted);
    expect(verify({ id: `msg.${timestamp}`, signature, body: 'x' })).toEqual(rejected('malformed_id'));
  });

  it('verifies a body that is not UTF-8, on its bytes', () => {
    const bytes = Uint8Array.of(0xff, 0xfe, 0, 0xc3, 0x28);
    const signature = prepareStandardSigner([secret])(id, timestamp, bytes);
    expect(verify({ body: bytes, signature })).toEqual(accepted);
    expect(verify({ body: Buffer.from(bytes).toString('utf8'), signature })).toEqual(
      rejected('signature_mismatch'),
    );
  });
});

describe('v1a', () => {
  const pair = generateKeyPair();
  const other = generateKeyPair();
  const signature = prepareStandardSigner([pair.privateKey])(id, timestamp, body);
  const verifyA = prepareStandardVerifier({ secrets: [], publicKeys: [pair.publicKey] });

  it('verifies with the public key, text and bytes alike', () => {
    expect(signature).toMatch(/^v1a,[A-Za-z0-9+/]{86}==$/);
    expect(verifyWith(verifyA, { signature })).toEqual({
      valid: true,
      keyIndex: 0,
      timestampSeconds: timestamp,
    });
    expect(verifyWith(verifyA, { signature, body: Buffer.from(body) })).toEqual(accepted);
    expect(prepareStandardSigner([pair.privateKey])(id, timestamp, Buffer.from(body))).toBe(signature);
  });

  it('refuses another key, a changed body and a changed signature', () => {
    const foreign = prepareStandardVerifier({ secrets: [], publicKeys: [other.publicKey] });
    expect(verifyWith(foreign, { signature })).toEqual(rejected('signature_mismatch'));
    expect(verifyWith(verifyA, { signature, body: `${body} ` })).toEqual(rejected('signature_mismatch'));
    expect(verifyWith(verifyA, { signature: signature.slice(0, -4) })).toEqual(
      rejected('malformed_signature'),
    );
    expect(verifyWith(verifyA, { signature: 'v1a,' })).toEqual(rejected('malformed_signature'));
    expect(verifyWith(verifyA, { signature: `v1a,${good}` })).toEqual(rejected('malformed_signature'));
  });

  it('is never satisfied by v1 where it is demanded, though the secret is known', () => {
    const demanding = prepareStandardVerifier({ secrets: [secret], publicKeys: [pair.publicKey] });
    expect(verifyWith(demanding, { signature: `v1,${good}` })).toEqual(rejected('unsupported_version'));
    expect(
      verifyWith(demanding, { signature: `v1,${good} v1a,${Buffer.alloc(64).toString('base64')}` }),
    ).toEqual(rejected('signature_mismatch'));
    expect(verifyWith(demanding, { signature: `v1,${good} ${signature}` })).toEqual(accepted);
  });

  it('accepts either where both versions are asked for', () => {
    const both = prepareStandardVerifier({
      secrets: [secret],
      publicKeys: [other.publicKey, pair.publicKey],
      acceptVersions: ['v1', 'v1a'],
    });
    expect(verifyWith(both, { signature: `v1,${good}` })).toEqual(accepted);
    expect(verifyWith(both, { signature })).toEqual(expect.objectContaining({ valid: true, keyIndex: 1 }));
    expect(() => prepareStandardVerifier({ secrets: [secret], acceptVersions: ['v1', 'v1a'] })).toThrow(
      code('SECRET_MISSING'),
    );
  });

  it('stands beside v1 in one header when the endpoint has both keys', () => {
    const both = prepareStandardSigner([secret, pair.privateKey])(id, timestamp, body);
    expect(both).toBe(`v1,${good} ${signature}`);
    expect(verify({ signature: both })).toEqual(accepted);
    expect(verifyWith(verifyA, { signature: both })).toEqual(accepted);
  });
});

describe('beside the npm package standardwebhooks', () => {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const text = JSON.stringify({ id: 'evt-1', data: { note: 'Größe ✓' } });

  it('is verified by it', () => {
    const own = generateSecret();
    const headers = standardScheme.sign({ secrets: [own], id, timestamp: nowSeconds, body: text });
    expect(new Webhook(own).verify(text, headers)).toEqual(JSON.parse(text));
    const rotating = standardScheme.sign({
      secrets: [generateSecret(), own],
      id,
      timestamp: nowSeconds,
      body: text,
    });
    expect(new Webhook(own).verify(text, rotating)).toEqual(JSON.parse(text));
    expect(() => new Webhook(generateSecret()).verify(text, headers)).toThrow('No matching signature');
  });

  it('verifies what it signs', () => {
    const signature = new Webhook(secret).sign(id, new Date(timestamp * 1000), text);
    expect(verify({ signature, body: text })).toEqual(accepted);
  });

  it('is stricter: it refuses a timestamp with letters behind and a secret of three bytes', () => {
    const lenient = new Webhook(secret);
    const signature = lenient.sign(id, new Date(nowSeconds * 1000), text);
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': `${nowSeconds}abc`,
      'webhook-signature': signature,
    };
    expect(lenient.verify(text, headers)).toEqual(JSON.parse(text));
    expect(verify({ time: `${nowSeconds}abc`, signature, body: text, nowSeconds })).toEqual(
      rejected('malformed_timestamp'),
    );
    expect(() => new Webhook('whsec_AAAA')).not.toThrow();
    expect(() => prepareStandardSigner(['whsec_AAAA'])).toThrow(code('SECRET_LENGTH'));
  });
});
