import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway } from './support/test-gateway.ts';
import type { TestGateway } from './support/test-gateway.ts';
import { ADMIN_KEY } from './support/test-services.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

/** The audits know nothing of keys. */
function fetchWithKey(address: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${ADMIN_KEY}`);
  return fetch(address, { ...init, headers });
}

describe('GraphQL over HTTP, by the audits of graphql-http', () => {
  const audits = serverAudits({ url: () => gateway.url, fetchFn: fetchWithKey });

  it('is judged by all 61 audits', () => {
    expect(audits).toHaveLength(61);
  });

  for (const { id, name, fn } of audits) {
    it(`${name} (${id})`, async () => {
      const { status, ...found } = await fn();
      expect(status, 'reason' in found ? found.reason : undefined).toBe('ok');
    });
  }
});
