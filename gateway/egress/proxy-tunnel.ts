import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { Pool, buildConnector } from 'undici';
import type { Dispatcher } from 'undici';
import { HooklineError } from '../errors.ts';
import { ConnectFailure } from './connect-failure.ts';

/** A way through the operator's proxy. The proxy's own address is the operator's word and not vetted. */
export interface ProxyTunnel {
  /**
   * Asks the proxy for a connection to an address.
   * @param authority `address:port`, the address vetted and IPv6 in brackets
   * @returns the connection, or why there is none: `CONNECT` or `TIMEOUT`
   */
  open(authority: string): Promise<Socket | ConnectFailure>;
  close(): Promise<void>;
}

/**
 * @param proxy `http://host:port` or `https://…`, user and password allowed
 * @throws HooklineError `CONFIGURATION` for anything else
 */
export function createProxyTunnel(
  proxy: string,
  options: { connectTimeoutMs: number; secureContext: SecureContext | undefined },
): ProxyTunnel {
  const { url, authorization } = parseProxy(proxy);
  const pool = new Pool(url.origin, {
    allowH2: false,
    connect: buildConnector({
      allowH2: false,
      rejectUnauthorized: true,
      timeout: options.connectTimeoutMs,
      ...(options.secureContext && { secureContext: options.secureContext }),
    }),
  });
  return {
    async open(authority) {
      const headers = { host: authority, ...authorization };
      const signal = AbortSignal.timeout(options.connectTimeoutMs);
      let reply: Dispatcher.ConnectData;
      try {
        reply = await pool.connect({ path: authority, headers, signal });
      } catch (cause) {
        return signal.aborted
          ? new ConnectFailure(
              'TIMEOUT',
              'PROXY_TIMEOUT',
              `the proxy ${url.host} did not answer in time`,
              cause,
            )
          : new ConnectFailure(
              'CONNECT',
              'PROXY_UNREACHABLE',
              `no connection to the proxy ${url.host}`,
              cause,
            );
      }
      // A CONNECT hands over the raw connection whatever the status.
      const socket = reply.socket as Socket;
      const opened = reply.statusCode >= 200 && reply.statusCode < 300;
      if (opened && !socket.destroyed) return socket;
      socket.on('error', () => undefined).destroy();
      const remedy = reply.statusCode === 407 ? '; check user and password in HOOKLINE_PROXY' : '';
      const problem = opened
        ? 'closed the connection it had opened'
        : `answered ${reply.statusCode} instead of opening a connection`;
      return new ConnectFailure('CONNECT', 'PROXY_REFUSED', `the proxy ${url.host} ${problem}${remedy}`);
    },
    close: () => pool.destroy(),
  };
}

function parseProxy(proxy: string): { url: URL; authorization: Record<string, string> } {
  const url = URL.parse(proxy);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) {
    if (url.username === '' && url.password === '') return { url, authorization: {} };
    const [user, password] = [decodePart(url.username), decodePart(url.password)];
    if (user !== undefined && password !== undefined) {
      const credentials = Buffer.from(`${user}:${password}`).toString('base64');
      return { url, authorization: { 'proxy-authorization': `Basic ${credentials}` } };
    }
  }
  // The value is not repeated: it may hold a password.
  throw new HooklineError(
    'CONFIGURATION',
    'HOOKLINE_PROXY is not the URL of a proxy; accepted is http://host:port or https://host:port, with user:password@ before the host where it asks for them (percent-encoded)',
    { details: { setting: 'HOOKLINE_PROXY' } },
  );
}

function decodePart(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
