import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  CustomOptions,
  SchemeName,
  SignerOptions,
  VerifierOptions,
} from '../../gateway/signing/scheme.ts';
import { isSchemeName, schemeNamed, SCHEMES } from '../../gateway/signing/schemes.ts';
import { formatSecret, generateKeyPair } from '../../gateway/signing/secret.ts';

const CUSTOM: CustomOptions = {
  headerName: 'X-Custom',
  prefix: 'sha512=',
  encoding: 'base64',
  digest: 'sha512',
  template: '{id}:{timestamp}:{body}',
};
const KEYS = generateKeyPair();
const SECRET = formatSecret(Buffer.alloc(32, 9));

interface Case {
  title: string;
  name: SchemeName;
  signer: SignerOptions;
  verifier: VerifierOptions;
}

const plain = (name: SchemeName): Case => ({
  title: name,
  name,
  signer: { secrets: [SECRET], custom: CUSTOM },
  verifier: { secrets: [SECRET], custom: CUSTOM },
});
const CASES: Case[] = [
  ...(['mes', 'standard', 'maintainx', 'slack', 'github', 'stripe', 'custom'] as const).map(plain),
  {
    title: 'standard v1a',
    name: 'standard',
    signer: { secrets: [KEYS.privateKey] },
    verifier: { secrets: [], publicKeys: [KEYS.publicKey] },
  },
];

const NOW = 1_700_000_000;
const anyBody = fc.uint8Array({ maxLength: 300 });
const anyId = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/);

describe('the registry', () => {
  it('knows every scheme by its name and nothing else', () => {
    expect(Object.keys(SCHEMES).sort()).toEqual([
      'custom',
      'github',
      'maintainx',
      'mes',
      'slack',
      'standard',
      'stripe',
    ]);
    for (const [name, scheme] of Object.entries(SCHEMES)) expect(scheme.name).toBe(name);
    expect(isSchemeName('constructor')).toBe(false);
    expect(schemeNamed('mes')).toBe(SCHEMES.mes);
    expect(() => schemeNamed('toString')).toThrow(expect.objectContaining({ code: 'SCHEME_UNKNOWN' }));
  });

  it('names the headers that signing makes', () => {
    for (const { name, signer } of CASES) {
      const headers = SCHEMES[name].sign({ ...signer, body: 'x', id: 'evt-1', timestamp: NOW });
      const { signature, timestamp, id } = SCHEMES[name].headers(CUSTOM);
      expect(Object.keys(headers).sort()).toEqual(
        [signature, timestamp, id].filter((header) => header !== null).sort(),
      );
    }
  });
});

describe.each(CASES)('$title', ({ name, signer, verifier }) => {
  const sign = SCHEMES[name].prepareSigner(signer);
  const verify = SCHEMES[name].prepareVerifier(verifier);

  it('verifies whatever it signs', () => {
    fc.assert(
      fc.property(anyBody, anyId, fc.integer({ min: -300, max: 300 }), (body, id, age) => {
        const headers = sign({ body, id, timestamp: NOW - age });
        expect(verify({ body, headers, nowSeconds: NOW })).toHaveProperty('valid', true);
      }),
    );
  });

  it('refuses a body with any one bit changed, a byte more or a byte less', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), fc.nat(7), (body, at, bit) => {
        const headers = sign({ body, id: 'evt-1', timestamp: NOW });
        const flipped = body.map((byte, index) => (index === at % body.length ? byte ^ (1 << bit) : byte));
        for (const changed of [flipped, body.subarray(1), Buffer.concat([body, Buffer.from([0])])]) {
          expect(verify({ body: changed, headers, nowSeconds: NOW })).toHaveProperty(
            'reason',
            'signature_mismatch',
          );
        }
      }),
    );
  });

  it('refuses headers with any one character changed', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(6), (which, at, bit) => {
        const headers = sign({ body: 'x', id: 'evt-1', timestamp: NOW });
        const names = Object.keys(headers);
        const header = names[which % names.length] ?? '';
        const characters = Buffer.from(headers[header] ?? '');
        characters[at % characters.length]! ^= 1 << bit;
        const changed = { ...headers, [header]: characters.toString() };
        expect(verify({ body: 'x', headers: changed, nowSeconds: NOW })).toHaveProperty('valid', false);
      }),
    );
  });

  it('refuses what another secret signed', () => {
    const other = SCHEMES[name].prepareSigner({
      secrets: [
        name === 'standard' && verifier.publicKeys
          ? generateKeyPair().privateKey
          : formatSecret(Buffer.alloc(32, 8)),
      ],
      custom: CUSTOM,
    });
    const headers = other({ body: 'x', id: 'evt-1', timestamp: NOW });
    expect(verify({ body: 'x', headers, nowSeconds: NOW })).toHaveProperty('reason', 'signature_mismatch');
  });

  it('never throws, whatever the headers hold', () => {
    const { signature, timestamp, id } = SCHEMES[name].headers(CUSTOM);
    const text = fc.oneof(
      fc.uint16Array({ maxLength: 200 }).map((units) => String.fromCharCode(...units)),
      fc.stringMatching(/^(v1a?|v0|t|sha256)[=,][A-Za-z0-9+/=, v]{0,150}$/),
      fc.stringMatching(/^t=\d{1,20}(,v1=[0-9a-f]{60,66}){0,20}$/),
      fc.stringMatching(/^[0-9a-f]{60,70}$/),
      fc.integer().map(String),
      fc.constantFrom(
        'v1,'.repeat(100_000),
        ' '.repeat(50_000),
        't=1,'.repeat(50_000),
        '0'.repeat(64),
        String(NOW),
      ),
    );
    const value = fc.oneof(
      { weight: 6, arbitrary: text },
      { weight: 1, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.array(text, { maxLength: 3 }) },
    );
    fc.assert(
      fc.property(anyBody, value, value, value, (body, first, second, third) => {
        const headers = { [timestamp ?? 'x-time']: second, [id ?? 'x-id']: third, [signature]: first };
        const verification = verify({ body, headers, nowSeconds: NOW });
        expect(verification.valid).toBe(false);
        expect(verification).toHaveProperty('reason', expect.stringMatching(/^[a-z_]+$/));
        expect(verification).toHaveProperty('message', expect.stringMatching(/^[A-Z].*[^.]\.$/s));
      }),
      { numRuns: 300 },
    );
  });
});
