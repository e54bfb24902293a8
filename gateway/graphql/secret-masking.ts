import { hasScope } from '../access/scopes.ts';
import type { Endpoint, Principal } from '../services.ts';

/** Stands where a secret would. */
const MASK = '…';

/** Headers that are credentials by their nature, flagged or not. */
const CREDENTIAL_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'x-api-key'];

/** Where an endpoint leads; of a URL that is a credential only the host, unless the reader may change endpoints. */
export function visibleUrl(endpoint: Pick<Endpoint, 'url' | 'urlIsSecret'>, reader: Principal): string {
  if (!endpoint.urlIsSecret || maySeeSecrets(reader)) return endpoint.url;
  const origin = URL.canParse(endpoint.url) ? new URL(endpoint.url).origin : 'null';
  return origin === 'null' ? MASK : `${origin}/${MASK}`;
}

/** An endpoint's own headers; the values of flagged ones are masked unless the reader may change endpoints. */
export function visibleHeaders(endpoint: Pick<Endpoint, 'headers'>, reader: Principal): Endpoint['headers'] {
  if (maySeeSecrets(reader)) return endpoint.headers;
  return endpoint.headers.map((header) => (header.secret ? { ...header, value: MASK } : header));
}

/** The headers that were sent in an attempt, masked likewise. */
export function visibleSentHeaders(
  sent: Readonly<Record<string, unknown>>,
  endpoint: Pick<Endpoint, 'headers'> | null,
  reader: Principal,
): Readonly<Record<string, unknown>> {
  if (maySeeSecrets(reader)) return sent;
  const secret = new Set(CREDENTIAL_HEADERS);
  for (const header of endpoint?.headers ?? []) if (header.secret) secret.add(header.name.toLowerCase());
  return Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [name, secret.has(name.toLowerCase()) ? MASK : value]),
  );
}

function maySeeSecrets(reader: Principal): boolean {
  return hasScope(reader.scopes, 'webhooks:write');
}
