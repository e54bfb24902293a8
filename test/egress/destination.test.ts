import { describe, expect, test } from 'vitest';
import { createAddressPolicy } from '../../gateway/egress/address-policy.ts';
import {
  MAX_URL_LENGTH,
  checkDestination,
  refusedDestination,
  vetDestination,
} from '../../gateway/egress/destination.ts';

const policy = createAddressPolicy([]);
const plant = createAddressPolicy(['10.20.0.0/16', '127.0.0.0/8']);
const answer =
  (...addresses: string[]) =>
  async (): Promise<string[]> =>
    addresses;
const noSuchName = async (): Promise<string[]> => {
  throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
};

describe('checkDestination', () => {
  test.each([
    ['https://hooks.example/services/T0/B0/x?y=1', 'hooks.example'],
    ['https://HOOKS.example:8443/', 'hooks.example'],
    ['http://plc-7.local/andon', 'plc-7.local'],
    ['https://8.8.8.8/', '8.8.8.8'],
    ['https://[2606:4700:4700::1111]/', '2606:4700:4700::1111'],
    ['https://bücher.example/', 'xn--bcher-kva.example'],
  ])('accepts %s', (url, host) => {
    expect(checkDestination(url, policy)).toMatchObject({ kind: 'network', host });
  });

  test.each([
    ['', 'malformed'],
    ['hooks.example/path', 'malformed'],
    ['https://', 'malformed'],
    ['https://256.1.1.1/', 'malformed'],
    ['https://host:99999/', 'malformed'],
    ['ftp://host/', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['javascript:alert(1)', 'scheme'],
    ['gopher://127.0.0.1:6379/_x', 'scheme'],
    ['inspector:', 'scheme'],
    ['inspector:other', 'scheme'],
    ['inspector://bin_abc', 'scheme'],
    ['https://user@host.example/', 'credentials'],
    ['https://user:secret@host.example/', 'credentials'],
    ['https://:secret@host.example/', 'credentials'],
    ['https://host.example/#part', 'fragment'],
    ['https://host.example/#', 'fragment'],
    [`https://host.example/${'x'.repeat(MAX_URL_LENGTH)}`, 'too_long'],
  ])('refuses %s as %s', (url, reason) => {
    const checked = checkDestination(url, plant);
    expect(checked).toMatchObject({ kind: 'refused', refusal: { reason, addToAllow: [] } });
    expect(JSON.stringify(checked)).not.toContain('secret');
  });

  test('takes a URL of the greatest length', () => {
    const start = 'https://host.example/';
    expect(checkDestination(start.padEnd(MAX_URL_LENGTH, 'x'), policy).kind).toBe('network');
  });

  test.each([
    'https://0x7f.1/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://0x7f000001/',
    'https://127.0.0.1./',
    'https://127。0。0。1/',
    'https://①②⑦.0.0.1/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[0:0:0:0:0:ffff:7f00:0001]/',
    'https://[::127.0.0.1]/',
  ])('judges the odd spelling %s as 127.0.0.1', (url) => {
    expect(checkDestination(url, policy)).toMatchObject({
      kind: 'refused',
      refusal: { reason: 'loopback', addToAllow: ['127.0.0.1/32'] },
    });
    expect(checkDestination(url, plant).kind).toBe('network');
  });

  test.each([
    'https://[::1]/',
    'https://[::]/',
    'https://0/',
    'https://169.254.169.254/latest',
    'https://[fe80::1]/',
  ])('refuses %s', (url) => {
    expect(checkDestination(url, plant).kind).toBe('refused');
  });

  test('permits plain http only to addresses on the allow-list', () => {
    expect(checkDestination('http://10.20.1.1/', plant).kind).toBe('network');
    expect(checkDestination('http://8.8.8.8/', plant)).toMatchObject({
      kind: 'refused',
      refusal: {
        reason: 'plain_http',
        addToAllow: ['8.8.8.8/32'],
        message: expect.stringContaining('https'),
      },
    });
    expect(checkDestination('http://8.8.8.8/', createAddressPolicy(['8.8.8.8/32'])).kind).toBe('network');
  });

  test('recognises the built-in inspector', () => {
    expect(checkDestination('inspector:bin_a-Z_9', policy)).toEqual({
      kind: 'inspector',
      binId: 'bin_a-Z_9',
    });
  });
});

describe('vetDestination', () => {
  const vet = (url: string, lookup = answer(), signal?: AbortSignal) =>
    vetDestination(url, plant, lookup, signal);

  test('answers all addresses when all are allowed', async () => {
    const addresses = ['93.184.216.34', '2606:2800:220:1::1'];
    expect(await vet('https://hooks.example/', answer(...addresses))).toMatchObject({
      kind: 'network',
      addresses,
    });
  });

  test.each([
    [['93.184.216.34', '192.168.0.7'], 'private', ['192.168.0.7/32']],
    [['192.168.0.7', '93.184.216.34'], 'private', ['192.168.0.7/32']],
    [['10.20.1.1', '10.21.1.1', '::1'], 'private', ['10.21.1.1/32', '::1/128']],
    [['93.184.216.34', '169.254.169.254'], 'metadata', []],
    [['192.168.0.7', '::ffff:169.254.169.254'], 'metadata', []],
    [['93.184.216.34', 'not an address'], 'not_an_address', []],
  ])('refuses a name with the answers %j', async (addresses, reason, addToAllow) => {
    expect(await vet('https://hooks.example/', answer(...addresses))).toMatchObject({
      kind: 'refused',
      refusal: { reason, addToAllow },
    });
  });

  test('permits plain http only when every answer is on the allow-list', async () => {
    expect(await vet('http://plc.local/', answer('10.20.1.1', '127.0.0.1'))).toMatchObject({
      kind: 'network',
    });
    expect(await vet('http://plc.local/', answer('10.20.1.1', '93.184.216.34'))).toMatchObject({
      kind: 'refused',
      refusal: { reason: 'plain_http', addToAllow: ['93.184.216.34/32'] },
    });
  });

  test('lists everything to add where several things stand in the way', async () => {
    expect(await vet('http://plc.local/', answer('93.184.216.34', '192.168.0.7'))).toMatchObject({
      kind: 'refused',
      refusal: { reason: 'private', addToAllow: ['93.184.216.34/32', '192.168.0.7/32'] },
    });
  });

  test('does not ask DNS for an address', async () => {
    expect(await vet('https://8.8.8.8/', noSuchName)).toMatchObject({
      kind: 'network',
      addresses: ['8.8.8.8'],
    });
  });

  test('does not mind a name that does not resolve yet', async () => {
    expect(await vet('https://plc.local/', noSuchName)).toMatchObject({ kind: 'network', unresolved: true });
    expect(await vet('https://plc.local/', answer())).toMatchObject({ kind: 'network', unresolved: true });
  });

  test('stops waiting for DNS when aborted', async () => {
    const abort = new AbortController();
    const vetted = vet('https://slow.example/', () => new Promise(() => undefined), abort.signal);
    abort.abort(new Error('enough'));
    await expect(vetted).rejects.toThrow('enough');
    await expect(vet('https://slow.example/', answer('8.8.8.8'), abort.signal)).rejects.toThrow('enough');
  });

  test('never asks anything about the inspector', async () => {
    expect(await vet('inspector:bin_1', noSuchName)).toEqual({ kind: 'inspector', binId: 'bin_1' });
  });
});

test('refusedDestination is a bad input that names field, address and what to add', async () => {
  const vetted = await vetDestination('https://plc.local/secret', policy, answer('10.1.2.3'));
  if (vetted.kind !== 'refused') throw new Error('expected a refusal');
  const error = refusedDestination('input.url', vetted.refusal);
  expect(error.code).toBe('BAD_USER_INPUT');
  expect(error.message).toBe(
    'plc.local resolves to 10.1.2.3, a private address; add 10.1.2.3/32 to HOOKLINE_EGRESS_ALLOW to permit it',
  );
  expect(error.details).toEqual({ field: 'input.url', reason: 'private', addToAllow: ['10.1.2.3/32'] });
});
