import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { HooklineError } from '../errors.ts';

/** Why an address is refused. The first three may be permitted by the allow-list, the others never. */
export type AddressReason =
  | 'loopback'
  | 'private'
  | 'shared'
  | 'link_local'
  | 'metadata'
  | 'unspecified'
  | 'multicast'
  | 'broadcast'
  | 'documentation'
  | 'tunnel'
  | 'reserved'
  | 'not_an_address';

/** What the policy says of one address. */
export type Verdict =
  /** `listed`: an entry of the allow-list covers it, which also permits plain http. */
  | { allowed: true; listed: boolean }
  /** `addToAllow`: the narrowest CIDR that would permit it; absent where nothing may. */
  | { allowed: false; reason: AddressReason; addToAllow?: string };

/** Which addresses deliveries may reach. Pure: no look-up, no clock. */
export interface AddressPolicy {
  /** Judges one textual IP address, as DNS or a parsed URL gives it (no brackets). */
  judge(ip: string): Verdict;
}

/**
 * Public addresses are allowed, loopback and private ones only where an entry of `allow` covers them,
 * everything else (link-local, cloud metadata, tunnels, multicast, reserved) never.
 * @param allow CIDRs, e.g. `10.20.0.0/16`, `fd12:3456::/32`
 * @throws HooklineError `CONFIGURATION` for an entry that is not a CIDR
 */
export function createAddressPolicy(allow: readonly string[]): AddressPolicy {
  const allowList = allow.map(parseAllowed);
  return {
    judge(ip) {
      const address = parseAddress(ip);
      if (address === undefined) return { allowed: false, reason: 'not_an_address' };
      const range = rangeOf(address);
      if (range !== undefined && !range.listable) return { allowed: false, reason: range.reason };
      const listed = allowList.some((entry) => contains(entry, address));
      if (range === undefined || listed) return { allowed: true, listed };
      return { allowed: false, reason: range.reason, addToAllow: cidrOf(address) };
    },
  };
}

/** The allow-list entry that covers exactly this address, e.g. `10.0.0.7/32`. */
export function narrowestCidr(ip: string): string {
  const address = parseAddress(ip);
  return address === undefined ? ip : cidrOf(address);
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Cidr = [Address, number];

interface Range {
  cidr: Cidr;
  reason: AddressReason;
  listable: boolean;
}

const never = (reason: AddressReason, ...cidrs: string[]): Range[] =>
  cidrs.map((cidr) => ({ cidr: ipaddr.parseCIDR(cidr), reason, listable: false }));

const whenListed = (reason: AddressReason, ...cidrs: string[]): Range[] =>
  cidrs.map((cidr) => ({ cidr: ipaddr.parseCIDR(cidr), reason, listable: true }));

/** IANA's special-purpose registries, plus the metadata services of the clouds; the first match counts. */
const IPV4_RANGES: Range[] = [
  // AWS and most others; Alibaba; Oracle; Azure's host agent (a public address only Azure's hosts answer).
  ...never('metadata', '169.254.169.254/32', '100.100.100.200/32', '192.0.0.192/32', '168.63.129.16/32'),
  ...never('link_local', '169.254.0.0/16'),
  ...never('unspecified', '0.0.0.0/8'),
  ...never('broadcast', '255.255.255.255/32'),
  ...never('multicast', '224.0.0.0/4'),
  ...never('documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'),
  // Protocol assignments, benchmarks, AS112, AMT and the 6to4 relay: never a receiver of webhooks.
  ...never('reserved', '192.0.0.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24'),
  ...never('reserved', '192.175.48.0/24', '198.18.0.0/15', '240.0.0.0/4'),
  ...whenListed('loopback', '127.0.0.0/8'),
  ...whenListed('private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'),
  ...whenListed('shared', '100.64.0.0/10'),
];

const IPV6_RANGES: Range[] = [
  ...never('unspecified', '::/128'),
  ...whenListed('loopback', '::1/128'),
  // AWS, Google, Oracle, Scaleway. They lie in the private range, hence before it.
  ...never('metadata', 'fd00:ec2::/32', 'fd20:ce::254/128', 'fd00:c1::a9fe:a9fe/128', 'fd00:42::42/128'),
  ...never('link_local', 'fe80::/10'),
  ...never('multicast', 'ff00::/8'),
  // NAT64, Teredo, 6to4: where the packet comes out is not ours to see.
  ...never('tunnel', '64:ff9b::/96', '64:ff9b:1::/48', '2001::/32', '2002::/16'),
  ...never('documentation', '2001:db8::/32', '3fff::/20'),
  ...never('reserved', '2001::/23', '2620:4f:8000::/48'),
  ...whenListed('private', 'fc00::/7'),
];

const GLOBAL_UNICAST_V6: Cidr = ipaddr.parseCIDR('2000::/3');
const OUTSIDE_GLOBAL_UNICAST: Range = { cidr: GLOBAL_UNICAST_V6, reason: 'reserved', listable: false };
const ISATAP: Range = { cidr: GLOBAL_UNICAST_V6, reason: 'tunnel', listable: false };

/** The ways to write an IPv4 address as an IPv6 one: mapped, translated (RFC 7915), compatible. */
const IPV4_IN_IPV6: Cidr[] = ['::ffff:0:0/96', '::ffff:0:0:0/96', '::/96'].map((cidr) =>
  ipaddr.parseCIDR(cidr),
);

function rangeOf(address: Address): Range | undefined {
  if (isV4(address)) return IPV4_RANGES.find((range) => contains(range.cidr, address));
  const range = IPV6_RANGES.find((candidate) => contains(candidate.cidr, address));
  if (range !== undefined && !range.listable) return range;
  // ISATAP hides an IPv4 address in the interface id of any prefix, the private ones included.
  const [, , , , marker = 0, isatap = 0] = address.parts;
  if ((marker & 0xfdff) === 0 && isatap === 0x5efe) return ISATAP;
  if (range !== undefined) return range;
  return contains(GLOBAL_UNICAST_V6, address) ? undefined : OUTSIDE_GLOBAL_UNICAST;
}

/** Parses what is strictly an IP address; an IPv4 address in IPv6 clothes becomes the IPv4 address. */
function parseAddress(ip: string): Address | undefined {
  if (isIP(ip) === 0) return undefined;
  const [bare = ip] = ip.split('%');
  const address = ipaddr.parse(bare);
  if (isV4(address) || isAlone(address)) return address;
  if (!IPV4_IN_IPV6.some((cidr) => contains(cidr, address))) return address;
  return ipaddr.fromByteArray(address.toByteArray().slice(12));
}

/** `::` and `::1` lie in the IPv4-compatible range without being IPv4 addresses. */
function isAlone(address: ipaddr.IPv6): boolean {
  return address.parts.every((part, index) => (index < 7 ? part === 0 : part <= 1));
}

function isV4(address: Address): address is ipaddr.IPv4 {
  return address.kind() === 'ipv4';
}

function contains([network, bits]: Cidr, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}

function cidrOf(address: Address): string {
  return `${address.toString()}/${isV4(address) ? 32 : 128}`;
}

function parseAllowed(entry: string): Cidr {
  const [network = '', bits = '', ...rest] = entry.trim().split('/');
  const family = isIP(network);
  const isPrefix = /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
  if (family === 0 || !isPrefix || rest.length > 0 || network.includes('%')) {
    throw new HooklineError(
      'CONFIGURATION',
      `HOOKLINE_EGRESS_ALLOW: "${entry}" is not a CIDR; accepted is a comma list of address/prefix, e.g. 127.0.0.0/8,10.20.0.0/16,fd12:3456::/32` +
        (family !== 0 && bits === '' ? `; for this one address write ${narrowestCidr(network)}` : ''),
      { details: { setting: 'HOOKLINE_EGRESS_ALLOW', value: entry } },
    );
  }
  const cidr: Cidr = [ipaddr.parse(network), Number(bits)];
  const address = parseAddress(network);
  if (family === 6 && address !== undefined && isV4(address)) {
    // Such an entry could never match: these addresses are judged by the IPv4 address in them.
    throw new HooklineError(
      'CONFIGURATION',
      `HOOKLINE_EGRESS_ALLOW: "${entry}" is an IPv4 network written as IPv6; write it as IPv4, e.g. ${address.toString()}/${Math.max(0, Number(bits) - 96)}`,
      { details: { setting: 'HOOKLINE_EGRESS_ALLOW', value: entry } },
    );
  }
  return cidr;
}
