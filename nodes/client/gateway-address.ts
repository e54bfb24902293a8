/** The addresses of one gateway. */
export interface GatewayAddress {
  /** As people know it, without a slash at the end. */
  base: string;
  /** GraphQL over HTTP. */
  http: string;
  /** GraphQL over websocket. */
  websocket: string;
}

/**
 * Reads what somebody entered as the gateway's address; a path prefix is kept and `/graphql` at the end is
 * understood.
 * @returns null for what is no http or https address, or holds a user and password.
 */
export function parseGatewayAddress(text: string): GatewayAddress | null {
  const url = URL.parse(text.trim());
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return null;
  if (url.username !== '' || url.password !== '') return null;
  const path = url.pathname.replace(/\/+$/, '').replace(/\/graphql$/, '');
  const base = `${url.protocol}//${url.host}${path}`;
  return { base, http: `${base}/graphql`, websocket: `${base.replace(/^http/, 'ws')}/graphql` };
}
