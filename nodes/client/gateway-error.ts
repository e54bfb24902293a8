/**
 * What went wrong between a node and the gateway. Becomes `msg.error` of a Catch node, `code` included.
 *
 * `code` is the gateway's own (`UNAUTHENTICATED`, `BAD_USER_INPUT`, …) or, where it did not answer,
 * `GATEWAY_UNREACHABLE`; `NOT_CONFIGURED` and `CLOSED` say that nothing was sent.
 */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: string;
  /** The input field at fault, where the gateway names one. */
  readonly field: string | null;

  constructor(code: string, message: string, options: { field?: string | null; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options.field ?? null;
  }

  /** Doing the same again may help. */
  get isPassing(): boolean {
    return PASSING.has(this.code);
  }
}

/** An error of a GraphQL answer. */
export interface AnsweredError {
  message: string;
  extensions?: { code?: unknown; field?: unknown };
}

/** The first error of an answer, with the gateway's code. */
export function answeredError(errors: readonly AnsweredError[]): GatewayError {
  const [first] = errors;
  const { code, field } = first?.extensions ?? {};
  return new GatewayError(
    typeof code === 'string' ? code : 'INTERNAL',
    first?.message ?? 'The gateway answered with an error that it did not name.',
    { field: typeof field === 'string' ? field : null },
  );
}

/** No answer: names the address and the remedy. */
export function unreachable(url: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'GATEWAY_UNREACHABLE',
    `The gateway at ${url} does not answer; check that it runs and that the address is right.`,
    { cause },
  );
}

/** The gateway does not accept the key. */
export function keyRefused(url: string): GatewayError {
  return new GatewayError(
    'UNAUTHENTICATED',
    `The gateway at ${url} does not accept the key; enter one with the scope "flow" in the gateway node.`,
  );
}

/** The node was closed (a deploy, a stop) before the gateway answered. */
export function closedMeanwhile(): GatewayError {
  return new GatewayError(
    'CLOSED',
    'The node was stopped before the gateway answered; send the message again.',
  );
}

const PASSING: ReadonlySet<string> = new Set(['GATEWAY_UNREACHABLE', 'STORE_UNAVAILABLE', 'RATE_LIMITED']);
