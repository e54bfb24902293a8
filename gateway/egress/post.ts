import type { Clock } from '../clock.ts';
import { createAddressPolicy } from './address-policy.ts';
import { createConnector } from './connector.ts';
import { checkDestination, vetDestination } from './destination.ts';
import type { VettedDestination } from './destination.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeContext } from './exchange.ts';
import type { PostOutcome, PostRequest, PostResult } from './post-request.ts';
import { deliverInternally } from './internal-target.ts';
import type { InternalTarget } from './internal-target.ts';
import { createPools } from './pools.ts';
import type { OriginPool } from './pools.ts';
import { createProxyTunnel } from './proxy-tunnel.ts';
import { outgoingHeaders } from './request-headers.ts';
import { shareLookups, systemLookup } from './system-lookup.ts';
import type { Lookup } from './system-lookup.ts';
import { createTimerWheel } from './timer-wheel.ts';
import { trustAlso } from './trusted-authorities.ts';

export type { PostOutcome, PostRequest, PostResult } from './post-request.ts';
export type { InternalTarget } from './internal-target.ts';

/** The one way out: creating, testing, delivering and the connectors all use it. */
export interface Egress {
  /** Sends one request and tells what became of it. Never rejects, never follows a redirect, never retries. */
  post(request: PostRequest): Promise<PostResult>;
  /** Judges a destination as a connection would, now. */
  vet(url: string, signal?: AbortSignal): Promise<VettedDestination>;
  /** Names who takes what is sent to `inspector:<bin>`. */
  setInternalTarget(target: InternalTarget): void;
  /** Ends all connections at once; whoever wants to drain waits for its posts first. */
  close(): Promise<void>;
}

/** Where warnings go; a pino logger fits. */
export interface EgressLog {
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface EgressOptions {
  /** CIDRs that may be reached although private: HOOKLINE_EGRESS_ALLOW. */
  allow: readonly string[];
  clock: Clock;
  /** A PEM file of authorities to trust beside the default ones: HOOKLINE_CA_FILE. */
  caFile?: string;
  /** The proxy all connections go through: HOOKLINE_PROXY. */
  proxy?: string;
  /** @default the machine's resolver */
  lookup?: Lookup;
  /** @default 64 */
  connectionsPerOrigin?: number;
  /** How many origins keep connections. @default 1000 */
  maxOrigins?: number;
  /** For name, address and TLS handshake together. @default 10_000 */
  connectTimeoutMs?: number;
  log?: EgressLog;
}

/** @throws HooklineError `CONFIGURATION` for a wrong `allow`, `caFile` or `proxy` */
export function createEgress(options: EgressOptions): Egress {
  const { clock, connectTimeoutMs = 10_000 } = options;
  const policy = createAddressPolicy(options.allow);
  const lookup = shareLookups(options.lookup ?? systemLookup);
  const secureContext = options.caFile === undefined ? undefined : trustAlso(options.caFile);
  const proxy =
    options.proxy === undefined
      ? undefined
      : createProxyTunnel(options.proxy, { connectTimeoutMs, secureContext });
  const pools = createPools({
    connect: createConnector({
      policy,
      lookup,
      connectTimeoutMs,
      secureContext,
      proxy,
      onRefused: (failure) =>
        options.log?.warn({ reason: failure.message }, 'a connection was refused by the egress policy'),
    }),
    connectionsPerOrigin: options.connectionsPerOrigin ?? 64,
    maxOrigins: options.maxOrigins ?? 1000,
  });
  const context: ExchangeContext = { clock, wheel: createTimerWheel(clock) };
  const targets = new Map<string, Target>();
  let internalTarget: InternalTarget | undefined;
  let closed = false;

  const targetOf = (url: string): Target | PostResult => {
    const checked = checkDestination(url, policy);
    if (checked.kind === 'refused')
      return unsent('REFUSED_BY_POLICY', 'REFUSED_BY_POLICY', checked.refusal.message);
    const target: Target =
      checked.kind === 'inspector'
        ? { binId: checked.binId }
        : {
            origin: checked.url.origin,
            whom: checked.url.host,
            path: checked.url.pathname + checked.url.search,
            pool: pools.open(checked.url.origin),
          };
    // Forgetting everything now and then is cheaper than keeping the order of use.
    if (targets.size >= MAX_CACHED_URLS) targets.clear();
    targets.set(url, target);
    return target;
  };

  const post = (request: PostRequest): Promise<PostResult> => {
    if (closed) return Promise.resolve(unsent('CONNECT', 'EGRESS_CLOSED', 'the gateway is stopping'));
    const target = targets.get(request.url) ?? targetOf(request.url);
    if ('outcome' in target) return Promise.resolve(target);
    if ('binId' in target) return deliverInternally(context, internalTarget, target.binId, request);
    const headers = outgoingHeaders(request.headers);
    if ('problem' in headers)
      return Promise.resolve(unsent('REFUSED_BY_POLICY', 'INVALID_REQUEST', headers.problem));
    if (target.pool.closed) target.pool = pools.open(target.origin);
    else pools.touch(target.pool);
    const options = {
      path: target.path,
      method: request.method ?? 'POST',
      headers: headers.flat,
      body: request.body,
    };
    return new Promise((resolve) => {
      void new Exchange(context, request, options, target.whom, target.pool, resolve);
    });
  };

  return {
    post,
    vet: (url, signal) => vetDestination(url, policy, lookup, signal),
    setInternalTarget(target) {
      internalTarget = target;
    },
    async close() {
      closed = true;
      targets.clear();
      await Promise.all([pools.close(), proxy?.close()]);
      context.wheel.close();
    },
  };
}

/** What a URL comes to: parsed and checked once, since the policy does not change. DNS is asked per connection. */
type Target = { origin: string; whom: string; path: string; pool: OriginPool } | { binId: string };

const MAX_CACHED_URLS = 10_000;

function unsent(outcome: PostOutcome, code: string, message: string): PostResult {
  return { outcome, bytesSent: false, error: { code, message }, durationMs: 0 };
}
