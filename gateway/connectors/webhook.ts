import { canSignStandard } from '../delivery/endpoint-secret.ts';
import { parseRetryAfter } from '../delivery/retry-policy.ts';
import type { EndpointRuntime, EndpointSecrets } from '../delivery/endpoint-runtime.ts';
import type { Clock } from '../clock.ts';
import type { Egress } from '../egress/post.ts';
import { expressionInput, type Evaluate } from '../delivery/subscriptions.ts';
import type { PostResult } from '../egress/post-request.ts';
import { envelopeBody, type Envelope, type Event } from '../events/event.ts';
import { MES_HEADER, prepareMesSigner } from '../signing/mes.ts';
import {
  prepareStandardSigner,
  STANDARD_ID_HEADER,
  STANDARD_SIGNATURE_HEADER,
  STANDARD_TIMESTAMP_HEADER,
} from '../signing/standard.ts';
import { webhookIdHeader } from '../signing/webhook-id.ts';
import type { AttemptOutcome, Lease } from '../store/store.ts';
import type { Connector, SendResult } from './connector.ts';

export interface WebhookOptions {
  egress: Egress;
  clock: Clock;
  /** Of this product, for `user-agent`. */
  version: string;
  /** For endpoints that shape the body's data. */
  evaluate: Evaluate;
  /** So much of an answer is kept in the log. @default 16 KiB */
  maxResponseBytes?: number;
}

interface Signers {
  mes: (body: string) => string;
  /** null where the secret is good for the legacy signature alone and there is no ed25519 key. */
  standard: ((id: string, timestampSeconds: number, body: string) => string) | null;
}

/** What stands in the log in place of a header's value that is a secret. */
const MASKED = '***';

/** Signed POST of an event to a URL; the inspector is one too. */
export function createWebhookConnector(options: WebhookOptions): Connector {
  const { egress, clock, evaluate, maxResponseBytes = 16 * 1024 } = options;
  const userAgent = `Hookline/${options.version}`;
  // Keys are prepared once per set of secrets: the registry keeps the same object until they change.
  const prepared = new WeakMap<EndpointSecrets, Signers>();
  const signersFor = (secrets: EndpointSecrets): Signers => {
    let signers = prepared.get(secrets);
    if (!signers) {
      signers = prepareSigners(secrets);
      prepared.set(secrets, signers);
    }
    return signers;
  };

  return {
    async send(lease, runtime): Promise<SendResult> {
      const { endpoint } = runtime;
      const body =
        runtime.payload === null ? lease.event.body : await shape(runtime.payload, lease.event, evaluate);
      if (body === null) return { kind: 'held', reason: 'payload_failed' };
      const startedAt = clock.now();
      const headers = signedHeaders(
        lease,
        body,
        runtime,
        signersFor(runtime.secrets(startedAt)),
        startedAt,
        userAgent,
      );
      const result = await egress.post({
        url: endpoint.url,
        headers,
        body,
        timeoutMs: endpoint.timeoutSeconds * 1000,
        maxResponseBytes,
      });
      const { outcome, error } = judge(result, endpoint.successStatus);
      return {
        kind: 'attempted',
        attempt: {
          startedAt,
          durationMs: result.durationMs,
          outcome,
          statusCode: result.statusCode ?? null,
          requestHeaders: loggedHeaders(headers, runtime),
          requestBody: body === lease.event.body ? null : body,
          responseHeaders: result.headers ? JSON.stringify(result.headers) : null,
          responseBody: result.body ?? null,
          error,
        },
        retryAfterMs: parseRetryAfter(result.headers?.['retry-after'], startedAt + result.durationMs),
      };
    },
  };
}

/** The envelope with the data that the endpoint's template makes of the event; null where the template fails. */
async function shape(payload: string, event: Event, evaluate: Evaluate): Promise<string | null> {
  const shaped = await evaluate(payload, expressionInput(event));
  if (!shaped.ok) return null;
  const { id, type, timestamp } = JSON.parse(event.body) as Envelope;
  return envelopeBody({ id, type, timestamp, data: shaped.value ?? null });
}

function signedHeaders(
  { event, attemptNumber }: Lease,
  body: string,
  { endpoint }: EndpointRuntime,
  signers: Signers,
  now: number,
  userAgent: string,
): Record<string, string> {
  const id = webhookIdHeader(event.id);
  const timestampSeconds = Math.floor(now / 1000);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': userAgent,
    [STANDARD_ID_HEADER]: id,
    [STANDARD_TIMESTAMP_HEADER]: String(timestampSeconds),
    'x-hookline-attempt': String(attemptNumber),
  };
  if (signers.standard) headers[STANDARD_SIGNATURE_HEADER] = signers.standard(id, timestampSeconds, body);
  if (endpoint.legacySignature) headers[MES_HEADER] = signers.mes(body);
  if (event.test) headers['x-hookline-test'] = 'true';
  if (event.hops > 0) headers['x-hookline-hops'] = String(event.hops);
  for (const { name, value } of endpoint.headers) headers[name.toLowerCase()] = value;
  return headers;
}

function prepareSigners({ current, old, privateKey }: EndpointSecrets): Signers {
  // The v1a signature comes last: receivers that look at one signature look at the first.
  const standard = [
    ...[current, ...old].filter(canSignStandard),
    ...(privateKey === null ? [] : [privateKey]),
  ];
  return {
    // The legacy scheme has room for one signature: it stays on the old secret until the overlap ends (C24).
    mes: prepareMesSigner(old[0] ?? current),
    standard: standard.length > 0 ? prepareStandardSigner(standard) : null,
  };
}

function loggedHeaders(headers: Record<string, string>, { endpoint }: EndpointRuntime): string {
  const secret = endpoint.headers.filter((header) => header.secret);
  if (secret.length === 0) return JSON.stringify(headers);
  const masked = { ...headers };
  for (const { name } of secret) masked[name.toLowerCase()] = MASKED;
  return JSON.stringify(masked);
}

function judge(
  result: PostResult,
  successStatus: 'ANY_2XX' | 'EXACTLY_200',
): { outcome: AttemptOutcome; error: { code: string; message: string } | null } {
  if (result.outcome !== 'RESPONSE') {
    // Sent, but never answered: the receiver may have acted on it (decision C19).
    const outcome = result.outcome === 'TIMEOUT' && result.bytesSent ? 'UNKNOWN' : result.outcome;
    return { outcome, error: result.error ?? null };
  }
  const status = result.statusCode ?? 0;
  if (status === 200 || (status > 200 && status < 300 && successStatus === 'ANY_2XX'))
    return { outcome: 'SUCCESS', error: null };
  if (status > 200 && status < 300) {
    return {
      outcome: 'HTTP_STATUS',
      error: {
        code: 'NOT_200',
        message: `The receiver answered ${status}; this endpoint asks for exactly 200.`,
      },
    };
  }
  if (status >= 300 && status < 400) {
    return {
      outcome: 'REDIRECT',
      error: {
        code: 'REDIRECT',
        message: `The receiver answered ${status}; redirects are never followed, enter the final URL.`,
      },
    };
  }
  if (status === 401 || status === 403) {
    return {
      outcome: 'AUTH',
      error: {
        code: 'AUTH',
        message: `The receiver answered ${status}: it does not accept the signature or the credentials.`,
      },
    };
  }
  return {
    outcome: 'HTTP_STATUS',
    error: { code: 'HTTP_STATUS', message: `The receiver answered ${status}.` },
  };
}
