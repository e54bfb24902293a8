import type { Principal, Scope } from '../services.ts';
import type { JsonBody } from './json-body.ts';
import type { RestAnswer } from './json-answer.ts';

/** One operation of the REST API. */
export interface Route {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With `:id` where an id stands. */
  path: string;
  /** Any one of these is enough (`admin` always is); `anyone`: every valid key. */
  scopes: readonly [Scope, ...Scope[]] | 'anyone';
  answer: (request: RestRequest) => RestAnswer | Promise<RestAnswer>;
}

/** What a route gets to see: whoever asks has been let in already. */
export interface RestRequest {
  principal: Principal;
  /** What stands for `:id`; empty without one. */
  id: string;
  /** @throws as `readJsonBody` */
  readBody: () => Promise<JsonBody>;
}

/** Whether a path is one of the routes', and if so what can be done with it and which id it names. */
export function matchRoutes(routes: readonly Route[], path: string): { routes: Route[]; id: string } | null {
  for (const { path: pattern } of routes) {
    const id = matchPath(pattern, path);
    if (id !== null) return { routes: routes.filter((route) => route.path === pattern), id };
  }
  return null;
}

/** @returns the id, empty where the pattern has none; null where the path is another */
function matchPath(pattern: string, path: string): string | null {
  const [before = '', after] = pattern.split(':id');
  if (after === undefined) return path === pattern ? '' : null;
  if (!path.startsWith(before) || !path.endsWith(after)) return null;
  const id = path.slice(before.length, path.length - after.length);
  return /^[\w-]{1,100}$/.test(id) ? id : null;
}
