import { isIP } from 'node:net';
import { badInput } from '../errors.ts';
import type { HooklineError } from '../errors.ts';
import { narrowestCidr } from './address-policy.ts';
import type { AddressPolicy, AddressReason } from './address-policy.ts';
import type { Lookup } from './system-lookup.ts';

/** The longest destination URL, in characters. */
export const MAX_URL_LENGTH = 2048;

/** Why a destination is refused, in words for whoever entered it. */
export interface Refusal {
  reason: AddressReason | 'too_long' | 'malformed' | 'scheme' | 'credentials' | 'fragment' | 'plain_http';
  /** A sentence that names the host, never the path, query or credentials of the URL. */
  message: string;
  /** CIDRs that, all of them in HOOKLINE_EGRESS_ALLOW, would permit it; empty where nothing may. */
  addToAllow: string[];
}

/** What can be said of a URL without asking DNS. */
export type CheckedDestination =
  | { kind: 'inspector'; binId: string }
  /** `host` is the name, or the normalised address without brackets. */
  | { kind: 'network'; url: URL; host: string }
  | { kind: 'refused'; refusal: Refusal };

/** What can be said of a URL after asking DNS. */
export type VettedDestination =
  | { kind: 'inspector'; binId: string }
  /** Every answer is allowed; these are the addresses to connect to, and no others. */
  | { kind: 'network'; url: URL; addresses: readonly string[] }
  /** The name does not resolve now. No error when creating: plants boot in any order. */
  | { kind: 'network'; url: URL; unresolved: true }
  | { kind: 'refused'; refusal: Refusal };

/**
 * The checks that need no network: form, scheme, credentials, and the address where the host is one.
 * Odd spellings of IPv4 (`0x7f.1`, `2130706433`) are normalised by parsing and judged as what they mean.
 */
export function checkDestination(url: string, policy: AddressPolicy): CheckedDestination {
  if (url.length > MAX_URL_LENGTH) {
    return refused(
      'too_long',
      `the URL has ${url.length} characters; at most ${MAX_URL_LENGTH} are accepted`,
    );
  }
  const binId = /^inspector:(bin_[\w-]{1,128})$/.exec(url)?.[1];
  if (binId !== undefined) return { kind: 'inspector', binId };
  const parsed = URL.parse(url);
  if (parsed === null) {
    return refused('malformed', 'this is not a URL; accepted is one like https://host.example/path');
  }
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') {
    return refused(
      'scheme',
      `"${parsed.protocol}" is not a scheme we deliver to; accepted are https: and http:`,
    );
  }
  if (parsed.username !== '' || parsed.password !== '') {
    return refused('credentials', 'a URL must not hold a user or password; put credentials into a header');
  }
  if (url.includes('#')) {
    return refused('fragment', 'a URL must not have a fragment (#…): it is never sent to the receiver');
  }
  const host = parsed.hostname.startsWith('[') ? parsed.hostname.slice(1, -1) : parsed.hostname;
  if (isIP(host) !== 0) {
    const refusal = judgeAddresses(parsed.protocol, host, [host], policy);
    if (refusal !== undefined) return { kind: 'refused', refusal };
  }
  return { kind: 'network', url: parsed, host };
}

/**
 * The static checks, then every DNS answer: one refused answer refuses the name.
 * @throws the signal's reason when aborted while waiting for DNS
 */
export async function vetDestination(
  url: string,
  policy: AddressPolicy,
  lookup: Lookup,
  signal?: AbortSignal,
): Promise<VettedDestination> {
  const checked = checkDestination(url, policy);
  if (checked.kind !== 'network') return checked;
  if (isIP(checked.host) !== 0) return { kind: 'network', url: checked.url, addresses: [checked.host] };
  const addresses = await answersOf(checked.host, lookup, signal);
  if (addresses.length === 0) return { kind: 'network', url: checked.url, unresolved: true };
  const refusal = judgeAddresses(checked.url.protocol, checked.host, addresses, policy);
  return refusal === undefined
    ? { kind: 'network', url: checked.url, addresses }
    : { kind: 'refused', refusal };
}

/**
 * Judges all addresses of a host. Plain http is for addresses on the allow-list only.
 * @returns why the host is refused, or undefined when all of its addresses may be reached
 */
export function judgeAddresses(
  protocol: string,
  host: string,
  addresses: readonly string[],
  policy: AddressPolicy,
): Refusal | undefined {
  const addToAllow: string[] = [];
  let refusedFor: { ip: string; reason: AddressReason | 'plain_http' } | undefined;
  for (const ip of addresses) {
    const verdict = policy.judge(ip);
    if (!verdict.allowed) {
      if (verdict.addToAllow === undefined) {
        return {
          reason: verdict.reason,
          message: `${describe(host, ip, verdict.reason)}; it is never delivered to`,
          addToAllow: [],
        };
      }
      addToAllow.push(verdict.addToAllow);
      if (refusedFor === undefined || refusedFor.reason === 'plain_http')
        refusedFor = { ip, reason: verdict.reason };
    } else if (protocol === 'http:' && !verdict.listed) {
      addToAllow.push(narrowestCidr(ip));
      refusedFor ??= { ip, reason: 'plain_http' };
    }
  }
  if (refusedFor === undefined) return undefined;
  const { ip, reason } = refusedFor;
  const remedy = `add ${addToAllow.join(' and ')} to HOOKLINE_EGRESS_ALLOW to permit it`;
  return reason === 'plain_http'
    ? {
        reason,
        message: `${host} must be reached by https; or, where plain http is meant, ${remedy}`,
        addToAllow,
      }
    : { reason, message: `${describe(host, ip, reason)}; ${remedy}`, addToAllow };
}

/** The error for whoever entered a refused destination: names the field and what to add to the allow-list. */
export function refusedDestination(field: string, refusal: Refusal): HooklineError {
  return badInput(field, refusal.message, { reason: refusal.reason, addToAllow: refusal.addToAllow });
}

const PLAIN_WORDS: Record<AddressReason, string> = {
  loopback: 'a loopback address',
  private: 'a private address',
  shared: 'an address of a carrier or overlay network (100.64.0.0/10)',
  link_local: 'a link-local address',
  metadata: 'a cloud metadata address',
  unspecified: 'an unspecified address',
  multicast: 'a multicast address',
  broadcast: 'the broadcast address',
  documentation: 'an address for documentation',
  tunnel: 'an address of a tunnel (NAT64, 6to4, Teredo, ISATAP)',
  reserved: 'a reserved address',
  not_an_address: 'no address at all',
};

function describe(host: string, ip: string, reason: AddressReason): string {
  return host === ip
    ? `${ip} is ${PLAIN_WORDS[reason]}`
    : `${host} resolves to ${ip}, ${PLAIN_WORDS[reason]}`;
}

function refused(reason: Refusal['reason'], message: string): CheckedDestination {
  return { kind: 'refused', refusal: { reason, message, addToAllow: [] } };
}

/** The addresses of a name; none where it does not resolve. */
async function answersOf(host: string, lookup: Lookup, signal?: AbortSignal): Promise<readonly string[]> {
  signal?.throwIfAborted();
  const answers = lookup(host).catch((): readonly string[] => []);
  if (signal === undefined) return answers;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([answers, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
