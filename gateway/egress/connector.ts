import { isIP } from 'node:net';
import type { LookupFunction, Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { buildConnector } from 'undici';
import type { AddressPolicy } from './address-policy.ts';
import { ConnectFailure, classifyConnectError, refusedByPolicy, unresolved } from './connect-failure.ts';
import { judgeAddresses } from './destination.ts';
import type { ProxyTunnel } from './proxy-tunnel.ts';
import type { Lookup } from './system-lookup.ts';

/** What every connection is made with. */
export interface ConnectorOptions {
  policy: AddressPolicy;
  lookup: Lookup;
  /** Name, address and handshake together. */
  connectTimeoutMs: number;
  secureContext: SecureContext | undefined;
  proxy: ProxyTunnel | undefined;
  /** Told of every connection that the policy refused. */
  onRefused: (failure: ConnectFailure) => void;
}

/**
 * Makes every connection of the gateway to the outside. Each one asks DNS anew, has all answers judged and
 * connects to exactly the judged addresses: what a name resolved to a minute ago means nothing (DNS
 * rebinding). The Host header and the TLS server name stay the name.
 */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const direct = {
    'http:': buildDirect('http:', options),
    'https:': buildDirect('https:', options),
  };
  return (target, callback) => {
    const protocol = target.protocol === 'https:' ? 'https:' : 'http:';
    const secure = protocol === 'https:';
    const whom = target.host ?? target.hostname;
    let duringTls = false;
    const answer: buildConnector.Callback = (error, socket) => {
      if (error === null) return callback(null, socket);
      const failure = classifyConnectError(error, whom, duringTls);
      if (failure.outcome === 'REFUSED_BY_POLICY') options.onRefused(failure);
      callback(failure, null);
    };

    if (options.proxy !== undefined) {
      void tunnel(options, options.proxy, protocol, target).then((opened) => {
        if (opened instanceof ConnectFailure) return answer(opened, null);
        if (!secure) return answer(null, opened);
        duringTls = true;
        return direct['https:']({ ...target, httpSocket: opened }, answer);
      });
      return;
    }
    // A look-up is asked for names only, so a literal address is judged here.
    if (isIP(target.hostname) !== 0) {
      const refusal = judgeAddresses(protocol, target.hostname, [target.hostname], options.policy);
      if (refusal !== undefined) return answer(refusedByPolicy(refusal), null);
    }
    // The connector returns its socket, although its declared type does not say so.
    const socket = direct[protocol](target, answer) as unknown as Socket;
    if (secure) socket.once('connect', () => (duringTls = true));
  };
}

function buildDirect(protocol: string, options: ConnectorOptions): buildConnector.connector {
  return buildConnector({
    allowH2: false,
    // Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment does not switch it off.
    rejectUnauthorized: true,
    timeout: options.connectTimeoutMs,
    lookup: vettingLookup(protocol, options),
    ...(options.secureContext && { secureContext: options.secureContext }),
  });
}

/** In the place of `dns.lookup`: what it answers is what the socket connects to, so judging here pins it. */
function vettingLookup(protocol: string, options: ConnectorOptions): LookupFunction {
  const answer = async (...[hostname, { all }, callback]: Parameters<LookupFunction>): Promise<void> => {
    const addresses = await vettedAddresses(protocol, hostname, options);
    if (addresses instanceof ConnectFailure) return callback(addresses, '');
    const answers = addresses.map((address) => ({ address, family: isIP(address) }));
    const [first] = answers;
    if (all === true || first === undefined) callback(null, answers);
    else callback(null, first.address, first.family);
  };
  return (...asked) => void answer(...asked);
}

async function vettedAddresses(
  protocol: string,
  hostname: string,
  { lookup, policy }: Pick<ConnectorOptions, 'lookup' | 'policy'>,
): Promise<readonly string[] | ConnectFailure> {
  let addresses: readonly string[];
  try {
    addresses = isIP(hostname) === 0 ? await lookup(hostname) : [hostname];
  } catch (cause) {
    return unresolved(hostname, cause);
  }
  if (addresses.length === 0) return unresolved(hostname, undefined);
  const refusal = judgeAddresses(protocol, hostname, addresses, policy);
  return refusal === undefined ? addresses : refusedByPolicy(refusal);
}

/** The proxy is asked for the vetted address, not for the name, which it would resolve for itself. */
async function tunnel(
  options: ConnectorOptions,
  proxy: ProxyTunnel,
  protocol: string,
  target: buildConnector.Options,
): Promise<Socket | ConnectFailure> {
  const addresses = await vettedAddresses(protocol, target.hostname, options);
  if (addresses instanceof ConnectFailure) return addresses;
  // No race between the families behind a proxy: IPv4 first, which is what plants' proxies have.
  const address = addresses.find((candidate) => isIP(candidate) === 4) ?? addresses[0] ?? '';
  const port = target.port === '' ? (protocol === 'https:' ? '443' : '80') : target.port;
  return proxy.open(isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`);
}
