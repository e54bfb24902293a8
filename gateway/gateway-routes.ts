import type { HostCheck } from './access/host-check.ts';
import { MAX_INSPECTED_BYTES, type Inspector } from './connectors/inspector.ts';
import { HooklineError } from './errors.ts';
import type { GraphqlServer } from './graphql/server.ts';
import { sendError, sendJson, type HttpHandler } from './http-server.ts';
import { readBody } from './ingest/read-body.ts';
import type { Receive } from './ingest/receive.ts';
import type { RestHandler } from './rest/rest-handler.ts';
import type { Services } from './services.ts';

export interface GatewayRoutesOptions {
  services: Services;
  receive: Receive;
  inspector: Inspector;
  graphql: GraphqlServer;
  rest: RestHandler;
  isOwnHost: HostCheck;
  login: HttpHandler;
}

/** The paths of the contract, most travelled first. */
export function createGatewayRoutes(options: GatewayRoutesOptions): HttpHandler[] {
  const { services, receive, inspector, graphql, rest, isOwnHost, login } = options;

  const webhooks: HttpHandler = async (request, response, path) => {
    if (!path.startsWith('/webhooks/')) return false;
    if (request.method === 'POST') await receive(request, response, path.slice('/webhooks/'.length));
    else {
      request.resume();
      sendJson(
        response,
        405,
        { error: { code: 'BAD_USER_INPUT', message: 'A source takes POST only.' } },
        { allow: 'POST' },
      );
    }
    return true;
  };

  const inspect: HttpHandler = async (request, response, path) => {
    if (!path.startsWith('/inspect/')) return false;
    const body = await readBody(request, MAX_INSPECTED_BYTES);
    if (body === 'aborted') return true;
    if (body === 'too_large') {
      sendError(
        response,
        new HooklineError('TOO_LARGE', `The inspector takes ${MAX_INSPECTED_BYTES} bytes at most.`),
      );
      return true;
    }
    const { method = 'GET', headers } = request;
    const answer = await inspector.receive(path.slice('/inspect/'.length), { method, headers, body });
    response.writeHead(answer.statusCode, answer.headers);
    response.end(answer.body);
    return true;
  };

  const health: HttpHandler = async (_request, response, path) => {
    if (path === '/healthz') {
      sendJson(response, 200, { status: 'ok' });
      return true;
    }
    if (path !== '/readyz') return false;
    const ready = await services.store.renew([], 1).then(
      () => true,
      () => false,
    );
    sendJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'store unavailable' });
    return true;
  };

  /** A page of somebody else that has our address by a name of its own is not served (DNS rebinding). */
  const ownHostOnly: HttpHandler = (request, response) => {
    if (isOwnHost(request.headers.host) || request.headers.authorization !== undefined)
      return Promise.resolve(false);
    request.resume();
    sendError(
      response,
      new HooklineError(
        'FORBIDDEN',
        'The gateway does not go by this host name; set HOOKLINE_PUBLIC_URL to the address it is reached by.',
      ),
    );
    return Promise.resolve(true);
  };

  const query: HttpHandler = async (request, response, path) => {
    if (path !== '/graphql') return false;
    await graphql.handleRequest(request, response);
    return true;
  };

  return [webhooks, inspect, health, ownHostOnly, query, rest, login];
}
