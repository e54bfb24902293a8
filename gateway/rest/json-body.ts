import type { IncomingMessage } from 'node:http';
import { badInput, HooklineError } from '../errors.ts';
import { readBody } from '../ingest/read-body.ts';

/** A request's body, parsed: an object whose members have yet to be checked. */
export type JsonBody = Readonly<Record<string, unknown>>;

/**
 * Reads a JSON object from a request. An empty body is an empty object, so that calls without options need none.
 * @throws TOO_LARGE, UNSUPPORTED_ENCODING, BAD_USER_INPUT; a plain error where the caller went away
 */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<JsonBody> {
  const { 'content-type': contentType, 'content-encoding': encoding } = request.headers;
  if (encoding !== undefined && encoding !== 'identity') {
    throw new HooklineError(
      'UNSUPPORTED_ENCODING',
      'The body must not be compressed: leave out Content-Encoding.',
    );
  }
  const bytes = await readBody(request, maxBytes);
  if (bytes === 'aborted') throw new Error('The connection was closed before the body was complete.');
  if (bytes === 'too_large') {
    throw new HooklineError(
      'TOO_LARGE',
      `The body is larger than the ${maxBytes} bytes that are taken at a time.`,
    );
  }
  if (bytes.length === 0) return {};
  if (contentType === undefined || !JSON_TYPE.test(contentType)) {
    throw badInput(
      'content-type',
      'The body must be JSON: send it with the header Content-Type: application/json.',
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw badInput('body', 'The body is not JSON in UTF-8: check quotes, commas and encoding.');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonBody;
  throw badInput('body', 'The body must be a JSON object.');
}

/**
 * Makes sure that a body says nothing that would be ignored: a misspelt member must not look as if it had worked.
 * @throws BAD_USER_INPUT naming the member and those there are
 */
export function refuseUnknownMembers(body: JsonBody, known: readonly string[]): void {
  for (const name of Object.keys(body)) {
    if (known.includes(name)) continue;
    const shown = name.slice(0, 60);
    throw badInput(shown, `"${shown}" is not known here. Known are: ${known.join(', ')}.`);
  }
}

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;
