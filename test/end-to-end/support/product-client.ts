import { createHmac } from 'node:crypto';
import { askOverHttp } from '../../support/graphql-client.ts';
import type { Parsed } from '../../support/graphql-client.ts';

/** What a client of a running product has to know. */
export interface ProductAccess {
  url: string;
  adminKey: string;
}

/** Asks over GraphQL. @throws with the messages where there are errors */
export async function askProduct<Data = Parsed>(
  { url, adminKey }: ProductAccess,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<Data> {
  const { data, errors = [] } = await askOverHttp<Data>(`${url}/graphql`, {
    query,
    variables,
    key: adminKey,
  });
  if (errors.length > 0 || data === null || data === undefined) {
    throw new Error(`The gateway answered: ${errors.map(({ message }) => message).join('; ')}`);
  }
  return data;
}

/** Registers an endpoint over the REST API. @throws where the answer is not 201 */
export async function registerEndpoint(
  { url, adminKey }: ProductAccess,
  settings: { url: string; events: string[]; retrySchedule?: string[]; maxConcurrency?: number },
): Promise<{ id: string; secret: string }> {
  const response = await fetch(`${url}/api/v2/webhooks/endpoints`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(settings),
  });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as { id: string; secret: string };
}

/** What the MES sends beside the body. */
export function mesHeaders(body: string, secret: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-mes-signature': createHmac('sha256', secret).update(body).digest('hex'),
  };
}

/** Posts an event as the MES does. @returns the status of the answer */
export async function postToMes(url: string, secret: string, body: string): Promise<number> {
  const response = await fetch(`${url}/webhooks/mes`, {
    method: 'POST',
    headers: mesHeaders(body, secret),
    body,
  });
  await response.body?.cancel();
  return response.status;
}
