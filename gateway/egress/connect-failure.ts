import type { Refusal } from './destination.ts';

/** The stages at which no connection comes about: nothing of the request was sent. */
export type ConnectOutcome = 'DNS' | 'CONNECT' | 'TLS' | 'TIMEOUT' | 'REFUSED_BY_POLICY';

/** Why there is no connection. Travels through undici, which must not mistake it for an error of its own. */
export class ConnectFailure extends Error {
  override readonly name = 'ConnectFailure';
  readonly outcome: ConnectOutcome;
  readonly code: string;

  constructor(outcome: ConnectOutcome, code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.outcome = outcome;
    this.code = code;
  }
}

/** The failure for a destination that the policy refuses. */
export function refusedByPolicy(refusal: Refusal): ConnectFailure {
  return new ConnectFailure('REFUSED_BY_POLICY', 'REFUSED_BY_POLICY', refusal.message);
}

/** The failure for a name that does not resolve. */
export function unresolved(host: string, cause: unknown): ConnectFailure {
  const code = codeOf(cause, 'ENOTFOUND');
  return new ConnectFailure('DNS', code, `the name ${host} does not resolve (${code})`, cause);
}

/**
 * Names the stage at which making a connection failed.
 * @param whom host and port, for the message
 * @param duringTls whether the TCP connection was up and the TLS handshake under way
 */
export function classifyConnectError(error: unknown, whom: string, duringTls: boolean): ConnectFailure {
  if (error instanceof ConnectFailure) return error;
  const code = codeOf(error, 'CONNECT_FAILED');
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return new ConnectFailure(
      'TIMEOUT',
      'CONNECT_TIMEOUT',
      `${whom} did not take the connection in time`,
      error,
    );
  }
  if (duringTls) {
    return new ConnectFailure(
      'TLS',
      code,
      `no secure connection to ${whom}: ${tlsReason(error, code)}`,
      error,
    );
  }
  const reason = CONNECT_REASONS[code] ?? `the connection failed (${code})`;
  return new ConnectFailure('CONNECT', code, `no connection to ${whom}: ${reason}`, error);
}

const CONNECT_REASONS: Record<string, string> = {
  ECONNREFUSED: 'it was refused; nothing listens there',
  ECONNRESET: 'it was closed while being made',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to its network',
  EADDRNOTAVAIL: 'no local port or address is left for it',
  EMFILE: 'this process has no file handle left for it',
};

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function tlsReason(error: unknown, code: string): string {
  if (UNTRUSTED.has(code)) {
    return `its certificate is of an authority we do not know (${code}); add the authority with HOOKLINE_CA_FILE`;
  }
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is for another name';
  if (code === 'ECONNRESET') return 'it was closed during the handshake';
  return `the handshake failed (${code})${error instanceof Error && code === 'CONNECT_FAILED' ? `: ${error.message}` : ''}`;
}

function codeOf(error: unknown, fallback: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string') return fallback;
  // undici tries again for ever when a connector's error has one of its own codes for "recoverable".
  return code === 'UND_ERR_SOCKET' || code === 'UND_ERR_INFO' ? fallback : code;
}
