import { HooklineError } from '../errors.ts';
import { SCOPES } from '../services.ts';
import type { Principal, Scope } from '../services.ts';

/** What a scope stands for beside itself. `admin` stands for everything, and is not listed. */
const IMPLIED: Readonly<Partial<Record<Scope, readonly Scope[]>>> = {
  flow: ['events:read', 'events:publish', 'webhooks:read'],
};

/** True for the name of a scope. */
export function isScope(name: string): name is Scope {
  return (SCOPES as readonly string[]).includes(name);
}

/**
 * Whether the scopes held cover one of those asked for. What nodes do beside reading and publishing (applyFlow,
 * work, settle, sendToEndpoint, sendTestEvent) asks for `flow`, alone or beside `webhooks:write`.
 */
export function hasScope(held: ReadonlySet<Scope>, ...anyOf: readonly [Scope, ...Scope[]]): boolean {
  if (held.has('admin')) return true;
  return anyOf.some((wanted) => {
    if (held.has(wanted)) return true;
    for (const scope of held) if (IMPLIED[scope]?.includes(wanted)) return true;
    return false;
  });
}

/** Lets pass whoever has a valid key. @throws UNAUTHENTICATED */
export function requirePrincipal(principal: Principal | null): asserts principal is Principal {
  if (principal !== null) return;
  throw new HooklineError(
    'UNAUTHENTICATED',
    'This needs a valid key: send it as "Authorization: Bearer <key>", or log in.',
  );
}

/**
 * Lets pass who may.
 * @throws UNAUTHENTICATED without a principal, FORBIDDEN for one that has none of these scopes
 */
export function requireScope(
  principal: Principal | null,
  ...anyOf: readonly [Scope, ...Scope[]]
): asserts principal is Principal {
  requirePrincipal(principal);
  if (hasScope(principal.scopes, ...anyOf)) return;
  throw new HooklineError(
    'FORBIDDEN',
    `The key "${principal.name}" lacks the scope ${anyOf.join(' or ')}: use a key that has it, or make one.`,
    { details: { scopes: anyOf } },
  );
}
