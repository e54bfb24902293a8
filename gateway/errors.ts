/**
 * The one registry of error codes. A code here is the code everywhere: GraphQL `extensions.code`,
 * REST `error.code`, a node's `msg.error.code`, the command line.
 */
export const ERROR_CODES = {
  UNAUTHENTICATED: {
    httpStatus: 401,
    meaning: 'no key or session came with the request, or it is not valid',
  },
  FORBIDDEN: { httpStatus: 403, meaning: 'the key lacks the scope that this needs' },
  BAD_USER_INPUT: { httpStatus: 400, meaning: 'a value is not acceptable; `field` names it' },
  NOT_FOUND: { httpStatus: 404, meaning: 'there is nothing with this id' },
  CONFLICT: { httpStatus: 409, meaning: 'the state it was based on has changed, or does not allow it' },
  RATE_LIMITED: { httpStatus: 429, meaning: 'too many requests; wait and try again' },
  TOO_LARGE: { httpStatus: 413, meaning: 'the request is larger than the limit' },
  UNSUPPORTED_ENCODING: { httpStatus: 415, meaning: 'the content encoding is not understood' },
  CURSOR_EXPIRED: { httpStatus: 410, meaning: 'the cursor is older than what is kept, or of another epoch' },
  STORE_UNAVAILABLE: { httpStatus: 503, meaning: 'the store cannot take it now; nothing was accepted' },
  REFUSED_BY_POLICY: { httpStatus: 400, meaning: 'the egress policy does not allow this address' },
  CONFIGURATION: {
    httpStatus: 500,
    meaning: 'a setting is wrong; the message names it and what is accepted',
  },
  ALREADY_RUNNING: { httpStatus: 409, meaning: 'another process uses this data directory' },
  PORT_TAKEN: { httpStatus: 409, meaning: 'another program listens on this port' },
  INTERNAL: { httpStatus: 500, meaning: 'a fault of ours; the log has the details under the same id' },
} as const satisfies Record<string, { httpStatus: number; meaning: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** The input field at fault, dotted path. */
  field?: string;
  [name: string]: unknown;
}

/** An error meant for whoever asked: a stable code and a sentence that names the thing and the remedy. */
export class HooklineError extends Error {
  override readonly name = 'HooklineError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  get httpStatus(): number {
    return ERROR_CODES[this.code].httpStatus;
  }
}

/** Bad input: names the field, what it was and what is accepted. Never put a secret in the message. */
export function badInput(field: string, message: string, details: ErrorDetails = {}): HooklineError {
  return new HooklineError('BAD_USER_INPUT', message, { details: { field, ...details } });
}
