import type { IncomingMessage, ServerResponse } from 'node:http';
import { requirePrincipal, requireScope } from '../access/scopes.ts';
import { HooklineError } from '../errors.ts';
import type { Principal, Services } from '../services.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { errorAnswer, writeAnswer } from './json-answer.ts';
import type { RestAnswer, RestLog } from './json-answer.ts';
import { readJsonBody } from './json-body.ts';
import { matchRoutes } from './route.ts';
import type { Route } from './route.ts';

export interface RestHandlerOptions {
  services: Pick<Services, 'endpoints' | 'deliveries' | 'events'>;
  /** Who asks; null for nobody. May throw RATE_LIMITED. */
  authenticate: (request: IncomingMessage) => Principal | null;
  log: RestLog;
  /** An id for a fault of ours, different each time. */
  makeId: () => string;
  /** The largest body taken: HOOKLINE_MAX_BODY. */
  maxBodyBytes: number;
}

/**
 * Answers one request.
 * @param path without the query and without the prefix of the public URL
 * @returns false where the path is none of the REST API's; nothing was answered then
 */
export type RestHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
) => Promise<boolean>;

/** The REST twin of the API: thin over the same services. JSON in and out; errors as everywhere. */
export function createRestHandler({
  services,
  authenticate,
  log,
  makeId,
  maxBodyBytes,
}: RestHandlerOptions): RestHandler {
  const routes = [...endpointRoutes(services), ...eventRoutes(services)];

  const answer = async (request: IncomingMessage, matching: Route[], id: string): Promise<RestAnswer> => {
    const route = matching.find(({ method }) => method === request.method);
    if (route === undefined) {
      const methods = matching.map(({ method }) => method).join(', ');
      throw new HooklineError(
        'NOT_FOUND',
        `There is no ${request.method} for this path. There is: ${methods}.`,
      );
    }
    const principal = authenticate(request);
    if (route.scopes === 'anyone') requirePrincipal(principal);
    else requireScope(principal, ...route.scopes);
    return route.answer({ principal, id, readBody: () => readJsonBody(request, maxBodyBytes) });
  };

  return async (request, response, path) => {
    const match = matchRoutes(routes, path);
    if (match === null) return false;
    try {
      writeAnswer(response, await answer(request, match.routes, match.id));
    } catch (error) {
      // Whoever has hung up gets no answer, and it is nobody's fault here.
      if (request.destroyed && !request.complete) response.destroy();
      else writeAnswer(response, errorAnswer(error, log, makeId));
    }
    return true;
  };
}
