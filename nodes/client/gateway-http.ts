import type { GatewayAddress } from './gateway-address.ts';
import { answeredError, closedMeanwhile, GatewayError, keyRefused, unreachable } from './gateway-error.ts';
import type { AnsweredError } from './gateway-error.ts';

/**
 * Sends one GraphQL request over HTTP.
 * @returns the answer's `data`.
 * @throws GatewayError
 */
export type GatewayRequest = <Data>(
  document: string,
  variables: Record<string, unknown>,
  signal: AbortSignal,
) => Promise<Data>;

export interface GatewayHttpOptions {
  address: GatewayAddress;
  /** Bearer key. */
  key: string;
  fetch: typeof fetch;
  /** How long to wait for an answer. @default 10000 */
  timeoutMs?: number;
}

/** Prepares requests to one gateway. */
export function createGatewayRequest(options: GatewayHttpOptions): GatewayRequest {
  const { address, key, timeoutMs = 10_000 } = options;
  return async <Data>(
    document: string,
    variables: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<Data> => {
    let response: Response;
    let text: string;
    try {
      response = await options.fetch(address.http, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          accept: 'application/graphql-response+json, application/json',
        },
        body: JSON.stringify({ query: document, variables }),
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      text = await response.text();
    } catch (error) {
      throw signal.aborted ? closedMeanwhile() : unreachable(address.base, error);
    }
    return readAnswer(text, response.status, address) as Data;
  };
}

interface Answer {
  data?: unknown;
  errors?: readonly AnsweredError[];
}

function readAnswer(text: string, status: number, address: GatewayAddress): unknown {
  const answer = parseAnswer(text);
  if (answer?.errors !== undefined && answer.errors.length > 0) throw answeredError(answer.errors);
  if (answer?.data !== undefined && answer.data !== null) return answer.data;
  if (status === 401 || status === 403) throw keyRefused(address.base);
  // Most likely a proxy in front of a gateway that is not there at the moment.
  if (status >= 500) throw unreachable(address.base, new Error(`HTTP ${status}`));
  throw new GatewayError(
    'NOT_A_GATEWAY',
    `What answers at ${address.base} (HTTP ${status}) is not a gateway; check the address in the gateway node.`,
  );
}

function parseAnswer(text: string): Answer | null {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? answer : null;
  } catch {
    return null;
  }
}
