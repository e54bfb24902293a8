import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { ERROR_CODES, HooklineError } from '../errors.ts';

/** Where faults of ours go; a pino logger fits. */
export interface GraphqlLog {
  error(fields: Record<string, unknown>, message: string): void;
}

/**
 * What a client may see of an error: what it can mend, with the registry's code and the details; of everything
 * else an id, under which the log has the rest. Masking what is masked changes nothing.
 */
export function maskError(error: unknown, log: GraphqlLog): GraphQLError {
  const place = error instanceof GraphQLError ? error : null;
  if (place !== null && hasCodeOfRegistry(place)) return place;
  const cause = innermost(error);
  if (cause instanceof HooklineError) return fromHooklineError(cause, place);
  if (place !== null && place.path === undefined && cause instanceof GraphQLError) {
    // Before anything ran: a request that makes no sense, in the words of the library.
    return copyOf(place, place.message, { ...place.extensions, code: 'BAD_USER_INPUT' });
  }
  const id = randomUUID();
  log.error({ err: cause, id, path: place?.path?.join('.') }, 'graphql: internal error');
  // With its cause, by which the HTTP transport tells it from a client's mistake; that is never written out.
  const kept = cause instanceof Error ? cause : new Error('What was thrown is no error.');
  return copyOf(place, 'Internal error', { code: 'INTERNAL', id }, kept);
}

/** The registry's code and the details, at the place in the document where it happened. */
export function fromHooklineError(error: HooklineError, place: GraphQLError | null): GraphQLError {
  return copyOf(place, error.message, { ...error.details, code: error.code });
}

function innermost(error: unknown): unknown {
  let inner = error;
  while (inner instanceof GraphQLError && inner.originalError != null) inner = inner.originalError;
  return inner;
}

function hasCodeOfRegistry(error: GraphQLError): boolean {
  const { code } = error.extensions;
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);
}

function copyOf(
  place: GraphQLError | null,
  message: string,
  extensions: Record<string, unknown>,
  originalError?: Error,
): GraphQLError {
  return new GraphQLError(message, {
    nodes: place?.nodes,
    source: place?.source,
    positions: place?.positions,
    path: place?.path,
    originalError,
    extensions,
  });
}
