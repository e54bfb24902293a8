import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Knows two keys and their scopes; everything else it is asked, it takes for a stranger. */
export interface FakeGateway extends AsyncDisposable {
  url: string;
}

export const ADMIN_KEY = 'sk-admin';
export const READER_KEY = 'sk-reader';

const SCOPES: Readonly<Record<string, string[]>> = {
  [`Bearer ${ADMIN_KEY}`]: ['admin'],
  [`Bearer ${READER_KEY}`]: ['events:read'],
};

export async function startFakeGateway(): Promise<FakeGateway> {
  const server = createServer((request, response) => {
    const scopes = request.url === '/graphql' ? SCOPES[request.headers.authorization ?? ''] : undefined;
    const answer = scopes
      ? { data: { viewer: { scopes } } }
      : { data: null, errors: [{ message: 'No such key.' }] };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
