import { request } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
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

const AUTHORIZATION = { authorization: `Bearer ${ADMIN_KEY}` };

function post(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...AUTHORIZATION, ...headers },
    body,
  });
}

describe('a body', () => {
  it.each([
    [
      'multipart/form-data; boundary=x',
      '--x\r\ncontent-disposition: form-data; name="query"\r\n\r\n{ __typename }\r\n--x--',
    ],
    ['application/x-www-form-urlencoded', 'query={__typename}'],
    ['application/graphql', '{ __typename }'],
    ['text/plain', '{"query":"{ __typename }"}'],
  ])('of type %s is not taken', async (type, body) => {
    const response = await post(body, { 'content-type': type });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  it('that is compressed is not taken', async () => {
    const response = await post(new Uint8Array(gzipSync('{"query":"{ __typename }"}')), {
      'content-encoding': 'gzip',
    });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: 'UNSUPPORTED_ENCODING' } }],
    });
  });

  it.each([
    '',
    '{',
    'null',
    '7',
    '"{ __typename }"',
    '[{"query":"{ __typename }"}]',
    '{"query":7}',
    '{"query":"{ __typename }","variables":[]}',
  ])('that says %j is answered with 400', async (body) => {
    const response = await post(body, { accept: 'application/graphql-response+json' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  it('of more than 256 KB is refused by what it says it is', async () => {
    const response = await post(JSON.stringify({ query: `{ __typename } # ${'x'.repeat(262_144)}` }));
    expect(response.status).toBe(413);
    expect(response.headers.get('connection')).toBe('close');
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'TOO_LARGE' } }] });
  });

  it('of more than 256 KB is refused while it comes, where it does not say', async () => {
    const outgoing = request(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked', ...AUTHORIZATION },
    });
    const answered = once(outgoing, 'response');
    // The server closes while we still write.
    outgoing.on('error', () => undefined);
    for (let sent = 0; sent < 6; sent += 1) outgoing.write(Buffer.alloc(65_536, 32));
    const [response] = (await answered) as [{ statusCode: number; resume(): void }];
    response.resume();
    outgoing.destroy();
    expect(response.statusCode).toBe(413);
  });

  it('of 256 KB is taken', async () => {
    const query = '{ __typename } #';
    const rest = 262_144 - JSON.stringify({ query }).length;
    const response = await post(JSON.stringify({ query: query + 'x'.repeat(rest) }));
    expect(response.status).toBe(200);
  });
});

describe('an address', () => {
  it('may ask with GET, and change nothing', async () => {
    const ask = (query: string) =>
      fetch(`${gateway.url}?query=${encodeURIComponent(query)}`, {
        headers: { ...AUTHORIZATION, accept: 'application/json' },
      });
    expect(await (await ask('{ __typename }')).json()).toEqual({ data: { __typename: 'Query' } });
    const mutation = await ask('mutation { createInspectBin { id } }');
    expect(mutation.status).toBe(405);
    expect(await mutation.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  it('with variables that are no JSON is answered with 400', async () => {
    const response = await fetch(`${gateway.url}?query={__typename}&variables={`, {
      headers: { ...AUTHORIZATION, accept: 'application/json' },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });
});

describe('an answer', () => {
  it('grants no other origin anything, and is kept by nobody', async () => {
    const response = await post('{"query":"{ __typename }"}', { origin: 'https://elsewhere.example' });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('hides what went wrong inside, and the log has it under the same id', async () => {
    const { list } = gateway.services.sources;
    gateway.services.sources.list = () => {
      throw new Error('the password is 1234');
    };
    const response = await post('{"query":"{ viewer { name } sources { name } }"}');
    gateway.services.sources.list = list;
    const answer = (await response.json()) as { errors: { message: string; extensions: { id: string } }[] };
    expect(JSON.stringify(answer)).not.toContain('1234');
    expect(answer).toMatchObject({
      data: null,
      errors: [
        {
          message: 'Internal error',
          path: ['sources'],
          extensions: { code: 'INTERNAL', id: expect.any(String) },
        },
      ],
    });
    const lines = gateway.logged.filter(({ fields }) => fields['id'] === answer.errors[0]!.extensions.id);
    expect(lines).toMatchObject([{ fields: { err: { message: 'the password is 1234' }, path: 'sources' } }]);
  });
});

describe('a session', () => {
  const cookie = (): string =>
    `hookline_session=${gateway.services.sessions.exchange(gateway.services.sessions.createLoginCode())}`;

  it('counts from our own pages only', async () => {
    const ask = (headers: Record<string, string>) =>
      fetch(gateway.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', cookie: cookie(), ...headers },
        body: '{"query":"{ viewer { name } }"}',
      });
    expect((await ask({ origin: new URL(gateway.url).origin })).status).toBe(200);
    expect((await ask({ origin: 'http://evil.example' })).status).toBe(401);
    expect((await ask({})).status).toBe(401);
  });
});

describe('server-sent events', () => {
  it('carry a subscription, and let go of the journal when the client leaves', async () => {
    const type = 'sse.test';
    const leaving = new AbortController();
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...AUTHORIZATION },
      body: JSON.stringify({
        query: 'subscription { events(filter: { types: ["sse.test"] }) { node { id } } }',
      }),
      signal: leaving.signal,
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    await gateway.tails.untilOpen(1);
    const id = await gateway.storeEvent({ type });
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes(id)) break;
    }
    expect(text).toContain('event: next');
    leaving.abort();
    await gateway.tails.untilOpen(0);
  });

  it('are no way to lease work, which could not say goodbye', async () => {
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...AUTHORIZATION },
      body: JSON.stringify({ query: 'subscription { work(consumer: "ep_x") { deliveryId } }' }),
    });
    expect(await response.text()).toContain('graphql-transport-ws');
  });
});

describe('a client that goes away', () => {
  it('in the middle of its body leaves nothing behind', async () => {
    const { hostname, port } = new URL(gateway.url);
    const before = gateway.logged.length;
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ADMIN_KEY}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"query"`,
    );
    socket.destroy();
    await once(socket, 'close');
    expect((await post('{"query":"{ __typename }"}')).status).toBe(200);
    expect(gateway.logged).toHaveLength(before);
  });
});
