import { describe, expect, test } from 'vitest';
import { createAddressPolicy, narrowestCidr } from '../../gateway/egress/address-policy.ts';
import type { AddressReason } from '../../gateway/egress/address-policy.ts';

const EVERYTHING = ['0.0.0.0/0', '::/0'];

const PUBLIC = [
  '8.8.8.8',
  '1.0.0.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2001:200::1',
  '2a00:1450:4001::200e',
  '3ffe::1',
  '::ffff:8.8.8.8',
  '::ffff:808:808',
  '::8.8.8.8',
  '::ffff:0:8.8.8.8',
];

/** Refused, unless the allow-list names them; with the entry that would. */
const LISTABLE: [string, AddressReason, string][] = [
  ['127.0.0.1', 'loopback', '127.0.0.1/32'],
  ['127.255.255.255', 'loopback', '127.255.255.255/32'],
  ['::1', 'loopback', '::1/128'],
  ['10.0.0.0', 'private', '10.0.0.0/32'],
  ['10.255.255.255', 'private', '10.255.255.255/32'],
  ['172.16.0.1', 'private', '172.16.0.1/32'],
  ['172.31.255.255', 'private', '172.31.255.255/32'],
  ['192.168.1.20', 'private', '192.168.1.20/32'],
  ['100.64.0.1', 'shared', '100.64.0.1/32'],
  ['100.127.255.255', 'shared', '100.127.255.255/32'],
  ['fc00::1', 'private', 'fc00::1/128'],
  ['fd12:3456:789a::7', 'private', 'fd12:3456:789a::7/128'],
  ['::ffff:127.0.0.1', 'loopback', '127.0.0.1/32'],
  ['::ffff:7f00:1', 'loopback', '127.0.0.1/32'],
  ['0:0:0:0:0:ffff:a00:1', 'private', '10.0.0.1/32'],
  ['::127.0.0.1', 'loopback', '127.0.0.1/32'],
  ['::7f00:1', 'loopback', '127.0.0.1/32'],
  ['::ffff:0:192.168.0.1', 'private', '192.168.0.1/32'],
];

/** Refused whatever the allow-list says. */
const NEVER: [string, AddressReason][] = [
  ['169.254.0.1', 'link_local'],
  ['169.254.170.2', 'link_local'],
  ['fe80::1', 'link_local'],
  ['fe80::1%eth0', 'link_local'],
  ['febf:ffff::1', 'link_local'],
  ['169.254.169.254', 'metadata'],
  ['100.100.100.200', 'metadata'],
  ['192.0.0.192', 'metadata'],
  ['168.63.129.16', 'metadata'],
  ['fd00:ec2::254', 'metadata'],
  ['fd00:ec2::23', 'metadata'],
  ['fd20:ce::254', 'metadata'],
  ['fd00:c1::a9fe:a9fe', 'metadata'],
  ['fd00:42::42', 'metadata'],
  ['::ffff:169.254.169.254', 'metadata'],
  ['::ffff:a9fe:a9fe', 'metadata'],
  ['::169.254.169.254', 'metadata'],
  ['::ffff:0:169.254.169.254', 'metadata'],
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['::', 'unspecified'],
  ['::ffff:0.0.0.0', 'unspecified'],
  ['::2', 'unspecified'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.250', 'multicast'],
  ['ff02::1', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['192.0.2.1', 'documentation'],
  ['198.51.100.7', 'documentation'],
  ['203.0.113.255', 'documentation'],
  ['2001:db8::1', 'documentation'],
  ['3fff::1', 'documentation'],
  ['64:ff9b::8.8.8.8', 'tunnel'],
  ['64:ff9b::7f00:1', 'tunnel'],
  ['64:ff9b:1::1', 'tunnel'],
  ['64:ff9b:1:ffff::a00:1', 'tunnel'],
  ['2002:7f00:1::', 'tunnel'],
  ['2002:808:808::1', 'tunnel'],
  ['2001::1', 'tunnel'],
  ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'tunnel'],
  ['2a00:1450::5efe:10.0.0.1', 'tunnel'],
  ['2a00:1450::200:5efe:8.8.8.8', 'tunnel'],
  ['fd00::5efe:127.0.0.1', 'tunnel'],
  ['192.0.0.1', 'reserved'],
  ['192.88.99.1', 'reserved'],
  ['192.31.196.1', 'reserved'],
  ['192.52.193.1', 'reserved'],
  ['192.175.48.1', 'reserved'],
  ['198.18.0.1', 'reserved'],
  ['198.19.255.255', 'reserved'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.254', 'reserved'],
  ['2001:2::1', 'reserved'],
  ['2001:20::1', 'reserved'],
  ['2620:4f:8000::1', 'reserved'],
  ['100::1', 'reserved'],
  ['5f00::1', 'reserved'],
  ['fec0::1', 'reserved'],
  ['4000::1', 'reserved'],
];

/** Not what DNS or a parsed URL can answer; odd spellings are normalised before they come here. */
const NO_ADDRESS = [
  '',
  'localhost',
  '127.1',
  '0177.0.0.1',
  '2130706433',
  '0x7f000001',
  '127.0.0.1:80',
  '[::1]',
  '1.2.3.4.5',
];

describe('createAddressPolicy', () => {
  test.each(PUBLIC)('allows the public address %s', (ip) => {
    expect(createAddressPolicy([]).judge(ip)).toEqual({ allowed: true, listed: false });
  });

  test.each(LISTABLE)('refuses %s (%s) and names %s', (ip, reason, addToAllow) => {
    expect(createAddressPolicy([]).judge(ip)).toEqual({ allowed: false, reason, addToAllow });
  });

  test.each(LISTABLE)('allows %s once %s is named by its own suggestion %s', (ip, _reason, addToAllow) => {
    expect(createAddressPolicy([addToAllow]).judge(ip)).toEqual({ allowed: true, listed: true });
    expect(narrowestCidr(ip)).toBe(addToAllow);
  });

  test.each(NEVER)('refuses %s (%s) although the allow-list names everything', (ip, reason) => {
    expect(createAddressPolicy(EVERYTHING).judge(ip)).toEqual({ allowed: false, reason });
    expect(createAddressPolicy([]).judge(ip)).toEqual({ allowed: false, reason });
  });

  test.each(NO_ADDRESS)('refuses "%s", which is not an address', (ip) => {
    expect(createAddressPolicy(EVERYTHING).judge(ip)).toEqual({ allowed: false, reason: 'not_an_address' });
  });

  test('allows exactly what an entry covers', () => {
    const policy = createAddressPolicy(['10.20.0.0/16', ' 127.0.0.1/32', 'fd12:3456::/32']);
    expect(policy.judge('10.20.255.1')).toEqual({ allowed: true, listed: true });
    expect(policy.judge('10.21.0.1')).toMatchObject({ allowed: false, addToAllow: '10.21.0.1/32' });
    expect(policy.judge('::ffff:10.20.0.9')).toEqual({ allowed: true, listed: true });
    expect(policy.judge('127.0.0.2')).toMatchObject({ allowed: false });
    expect(policy.judge('fd12:3456:7::1')).toEqual({ allowed: true, listed: true });
    expect(policy.judge('fd12:3457::1')).toMatchObject({ allowed: false });
  });

  test('reads an entry with host bits as its network', () => {
    expect(createAddressPolicy(['10.20.3.4/16']).judge('10.20.9.9')).toEqual({ allowed: true, listed: true });
  });

  test('marks a public address that the list covers, since plain http is for those', () => {
    expect(createAddressPolicy(['8.8.8.0/24']).judge('8.8.8.8')).toEqual({ allowed: true, listed: true });
  });

  test.each([
    '',
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0/8',
    'localhost/8',
    '::1/129',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    'fe80::1%lo/64',
  ])('says what is accepted instead of "%s"', (entry) => {
    expect(() => createAddressPolicy([entry])).toThrowError(
      expect.objectContaining({
        code: 'CONFIGURATION',
        message: expect.stringMatching(
          /^HOOKLINE_EGRESS_ALLOW: ".*" is not a CIDR; accepted is .*10\.20\.0\.0\/16/,
        ),
      }),
    );
  });

  test('tells how to name a single address', () => {
    expect(() => createAddressPolicy(['10.1.2.3'])).toThrowError(/write 10\.1\.2\.3\/32/);
  });

  test('refuses an entry that could never match, being IPv4 in IPv6 clothes', () => {
    expect(() => createAddressPolicy(['::ffff:10.0.0.0/104'])).toThrowError(
      /write it as IPv4, e\.g\. 10\.0\.0\.0\/8/,
    );
  });
});
