import type { ServerResponse } from 'node:http';
import { HooklineError } from '../errors.ts';

/** What a route answers. */
export interface RestAnswer {
  status: number;
  /** undefined: no body. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}

/** Where faults of ours go; a pino logger fits. */
export interface RestLog {
  error(fields: Record<string, unknown>, message: string): void;
}

/** Writes an answer. Nothing of the API is for caches: answers depend on the key, and some hold secrets. */
export function writeAnswer(response: ServerResponse, { status, body, headers }: RestAnswer): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    ...(status === 204 ? {} : { 'content-length': String(Buffer.byteLength(text)) }),
    ...headers,
  });
  response.end(text);
}

/**
 * The answer for an error: what the caller can mend, with the registry's code and status; of everything else an id,
 * under which the log has the rest.
 * @param makeId called for faults of ours only
 */
export function errorAnswer(error: unknown, log: RestLog, makeId: () => string): RestAnswer {
  if (error instanceof HooklineError) {
    const { code, message, details, httpStatus: status } = error;
    return { status, body: { error: { code, message, details } }, headers: headersFor(error) };
  }
  const id = makeId();
  log.error({ err: error, id }, 'rest: internal error');
  const message = `Something went wrong here. The log of the gateway has the details under ${id}.`;
  return { status: 500, body: { error: { code: 'INTERNAL', message, details: { id } } } };
}

function headersFor({ code, details }: HooklineError): Record<string, string> {
  if (code === 'UNAUTHENTICATED') return { 'www-authenticate': 'Bearer' };
  if (code === 'STORE_UNAVAILABLE') return { 'retry-after': '1' };
  const { retryAfterSeconds } = details;
  return typeof retryAfterSeconds === 'number' ? { 'retry-after': String(retryAfterSeconds) } : {};
}
