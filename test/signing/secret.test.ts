import { describe, expect, it } from 'vitest';
import {
  formatSecret,
  generateKeyPair,
  generateSecret,
  parsePrivateKey,
  parsePublicKey,
  parseSecret,
  publicKeyOf,
} from '../../gateway/signing/secret.ts';

const code = (code: string) => expect.objectContaining({ name: 'SigningError', code });

describe('symmetric secrets', () => {
  it('makes secrets of 32 random bytes that read back as the same bytes', () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, index) => index);
    const secret = generateSecret((size) => bytes.subarray(0, size));
    expect(secret).toBe('whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=');
    expect(Buffer.from(parseSecret(secret))).toEqual(Buffer.from(bytes));
    expect(generateSecret()).not.toBe(generateSecret());
    expect(parseSecret(generateSecret())).toHaveLength(32);
  });

  it('accepts a secret without padding and one without the prefix', () => {
    const padded = formatSecret(Buffer.alloc(32, 7));
    expect(padded.endsWith('=')).toBe(true);
    expect(parseSecret(padded.slice(0, -1))).toEqual(parseSecret(padded));
    expect(parseSecret(padded.slice('whsec_'.length))).toEqual(parseSecret(padded));
  });

  it.each([16, 18, 24, 32, 64])('accepts %i bytes', (size) => {
    expect(parseSecret(formatSecret(Buffer.alloc(size, 1)))).toHaveLength(size);
  });

  it.each([1, 3, 15, 65])('refuses %i bytes', (size) => {
    expect(() => parseSecret(formatSecret(Buffer.alloc(size, 1)))).toThrow(code('SECRET_LENGTH'));
  });

  it.each(['w', 'whsec_%', 'hwsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_', 'It is a secret'])(
    'refuses %j, which is not base64',
    (secret) => {
      expect(() => parseSecret(secret)).toThrow(code('SECRET_ENCODING'));
    },
  );

  it.each([
    ['a line break', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n'],
    ['the URL alphabet', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_'],
    ['padding that does not fit', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw='],
    ['a text cut short', 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9'],
  ])('refuses %s', (_, secret) => {
    expect(() => parseSecret(secret)).toThrow(code('SECRET_ENCODING'));
  });

  it('refuses an empty secret and keys of the other kind, and does not repeat them', () => {
    const { privateKey, publicKey } = generateKeyPair();
    expect(() => parseSecret('')).toThrow(code('SECRET_MISSING'));
    for (const key of [privateKey, publicKey]) {
      expect(() => parseSecret(key)).toThrow(code('SECRET_KIND'));
      expect(() => parseSecret(key)).not.toThrow(key.slice(5));
    }
  });
});

describe('ed25519 keys', () => {
  it('makes pairs that belong together', () => {
    const pair = generateKeyPair();
    expect(pair.privateKey).toMatch(/^whsk_[A-Za-z0-9+/]{86}==$/);
    expect(pair.publicKey).toMatch(/^whpk_[A-Za-z0-9+/]{43}=$/);
    expect(publicKeyOf(pair.privateKey)).toBe(pair.publicKey);
    expect(parsePrivateKey(pair.privateKey).asymmetricKeyType).toBe('ed25519');
    expect(parsePublicKey(pair.publicKey).type).toBe('public');
  });

  it('derives the public key that RFC 8032 lists for its first test seed', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    const expected = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
    const { publicKey } = generateKeyPair(() => seed);
    expect(Buffer.from(publicKey.slice('whpk_'.length), 'base64').toString('hex')).toBe(expected);
  });

  it('refuses a private key whose halves do not belong together', () => {
    const first = Buffer.from(generateKeyPair().privateKey.slice(5), 'base64');
    const second = Buffer.from(generateKeyPair().privateKey.slice(5), 'base64');
    const mixed = Buffer.concat([first.subarray(0, 32), second.subarray(32)]).toString('base64');
    expect(() => parsePrivateKey(`whsk_${mixed}`)).toThrow(code('KEY_MISMATCH'));
  });

  it('refuses keys of another kind, another length and another encoding', () => {
    const { privateKey, publicKey } = generateKeyPair();
    expect(() => parsePrivateKey(publicKey)).toThrow(code('SECRET_KIND'));
    expect(() => parsePublicKey(privateKey)).toThrow(code('SECRET_KIND'));
    expect(() => parsePublicKey(`whpk_${privateKey.slice(5)}`)).toThrow(code('SECRET_LENGTH'));
    expect(() => parsePrivateKey(`whsk_${publicKey.slice(5)}`)).toThrow(code('SECRET_LENGTH'));
    expect(() => parsePublicKey('whpk_%')).toThrow(code('SECRET_ENCODING'));
  });
});
