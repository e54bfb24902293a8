import { describe, expect, it } from 'vitest';

import { readHost, readNetworks, readSecret, readSize } from '../../gateway/settings/setting-values.ts';

describe('readSize', () => {
  it.each([
    ['123', 123],
    ['123B', 123],
    ['1KB', 1000],
    ['64KiB', 65_536],
    ['1MB', 1_000_000],
    ['1MiB', 1_048_576],
    ['2GiB', 2 * 1024 ** 3],
  ])('reads %s', (text, bytes) => {
    expect(readSize(text)).toBe(bytes);
  });

  it.each(['', 'MiB', '1.5MiB', '-1', '1mib', '1 KiB', '1TiB'])('refuses "%s"', (text) => {
    expect(readSize(text)).toBeNull();
  });
});

describe('readHost', () => {
  it.each([
    ['localhost', 'localhost'],
    ['0.0.0.0', '0.0.0.0'],
    ['::', '::'],
    ['[::1]', '::1'],
    ['gateway-1.plant.example.com', 'gateway-1.plant.example.com'],
  ])('reads %s', (text, host) => {
    expect(readHost(text)).toBe(host);
  });

  it.each(['', 'a b', 'localhost:4000', 'http://localhost', '-a', 'a..b'])('refuses "%s"', (text) => {
    expect(readHost(text)).toBeNull();
  });
});

describe('readNetworks', () => {
  it('lets a single address stand for itself', () => {
    expect(readNetworks('10.0.0.5,fd00::1,10.1.0.0/16')).toEqual([
      '10.0.0.5/32',
      'fd00::1/128',
      '10.1.0.0/16',
    ]);
  });

  it.each(['10.0.0', '10.0.0.0/x', 'proxy.example.com', '10.0.0.1,'])('refuses "%s"', (text) => {
    expect(readNetworks(text)).toBeNull();
  });
});

describe('readSecret', () => {
  it.each([
    ['text of 16 bytes', 'x'.repeat(16)],
    ['text of 64 bytes', 'x'.repeat(64)],
    ['whsec_ with 16 bytes', `whsec_${Buffer.alloc(16).toString('base64')}`],
    ['whsec_ with 64 bytes', `whsec_${Buffer.alloc(64).toString('base64')}`],
    ['text of 8 characters that are 16 bytes', 'ä'.repeat(8)],
  ])('accepts %s', (_name, secret) => {
    expect(readSecret(secret)).toBe(secret);
  });

  it.each([
    ['text of 15 bytes', 'x'.repeat(15)],
    ['text of 65 bytes', 'x'.repeat(65)],
    ['whsec_ with 15 bytes', `whsec_${Buffer.alloc(15).toString('base64')}`],
  ])('refuses %s', (_name, secret) => {
    expect(readSecret(secret)).toBeNull();
  });
});
