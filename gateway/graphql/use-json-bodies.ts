import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { HooklineError } from '../errors.ts';
import type { HttpContext } from './http-context.ts';
import { mayBeTooLarge, readJsonBody } from './json-body.ts';
import { fromHooklineError } from './mask-error.ts';

/** A plugin that takes bodies of JSON and nothing else, up to the limit, straight from the connection. */
export function useJsonBodies(): Plugin<HttpContext, HttpContext> {
  return {
    onRequestParse({ serverContext: { req }, requestParser, setRequestParser }) {
      if (req.method === 'POST') {
        setRequestParser(async () => (await readRequest(req)) as Record<string, unknown>);
      } else if (requestParser !== undefined) {
        setRequestParser(async (request) => {
          try {
            return await requestParser(request);
          } catch {
            throw refusal(
              'The variables or extensions in the address are not JSON; encode them as JSON.',
              400,
            );
          }
        });
      }
    },
  };
}

async function readRequest(req: IncomingMessage): Promise<unknown> {
  const [mediaType] = (req.headers['content-type'] ?? '').split(';');
  if (mediaType?.trim().toLowerCase() !== 'application/json') {
    throw refusal('The body must be JSON; send it with content-type: application/json.', 415);
  }
  try {
    return await readJsonBody(req);
  } catch (error) {
    if (!(error instanceof HooklineError)) throw error;
    const shown = fromHooklineError(error, null);
    // What is left of a body that is too large is not worth reading.
    const headers = mayBeTooLarge(req) ? { connection: 'close' } : {};
    shown.extensions.http = { status: error.httpStatus, headers };
    throw shown;
  }
}

function refusal(message: string, status: number): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status } } });
}
