import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../gateway/clock.ts';
import { createEgress } from '../../gateway/egress/post.ts';
import type { Egress, EgressOptions, PostRequest, PostResult } from '../../gateway/egress/post.ts';
import { drip, endless, startReceiver } from '../support/http-receiver.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  while (open.length > 0) await open.pop()!.close();
});

function egressWith(options: Partial<EgressOptions> = {}): Egress {
  const egress = createEgress({ allow: ['127.0.0.0/8'], clock: systemClock, ...options });
  open.push(egress);
  return egress;
}

async function receiverWith(options: Parameters<typeof startReceiver>[0] = {}) {
  const receiver = await startReceiver(options);
  open.push(receiver);
  return receiver;
}

/** A server that speaks whatever the test says, byte by byte. */
async function rawServer(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function requestTo(url: string, over: Partial<PostRequest> = {}): PostRequest {
  return { url, headers: {}, body: '{"id":"evt-1"}', timeoutMs: 10_000, maxResponseBytes: 4096, ...over };
}

describe('post', () => {
  test('sends the request as given and tells the answer', async () => {
    const receiver = await receiverWith({
      script: [
        {
          status: 201,
          headers: { 'x-request-id': 'r1', 'set-cookie': ['a=1', 'b=2'] },
          body: '{"ok":"größe"}',
        },
      ],
    });
    const headers = { 'content-type': 'application/json', 'webhook-id': 'evt-1', 'accept-encoding': 'gzip' };
    const result = await egressWith().post(requestTo(receiver.url('/hook?plant=7'), { headers }));
    expect(result).toMatchObject({
      outcome: 'RESPONSE',
      bytesSent: true,
      statusCode: 201,
      headers: { 'x-request-id': 'r1', 'set-cookie': 'a=1, b=2' },
      body: '{"ok":"größe"}',
      bodyTruncated: false,
    });
    expect(result.error).toBeUndefined();
    expect(result.durationMs).toBeGreaterThanOrEqual(0);
    const [request] = receiver.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/hook?plant=7',
      body: Buffer.from('{"id":"evt-1"}'),
    });
    expect(request?.headers).toMatchObject({
      host: `127.0.0.1:${receiver.port}`,
      'content-type': 'application/json',
      'webhook-id': 'evt-1',
      'accept-encoding': 'identity',
      'content-length': '14',
    });
  });

  test('sends bytes as bytes, and other methods', async () => {
    const receiver = await receiverWith();
    const egress = egressWith();
    await egress.post(requestTo(receiver.url(), { body: Uint8Array.of(0, 255, 10) }));
    await egress.post(requestTo(receiver.url('/workorders?q=1'), { method: 'GET', body: '' }));
    await egress.post(requestTo(receiver.url('/workorders/1'), { method: 'PATCH', body: '{}' }));
    expect(receiver.requests.map(({ method, body }) => [method, body.toString('hex')])).toEqual([
      ['POST', '00ff0a'],
      ['GET', ''],
      ['PATCH', '7b7d'],
    ]);
  });

  test.each([301, 302, 303, 307, 308])('does not follow a %i', async (status) => {
    const receiver = await receiverWith({ script: [{ status, headers: { location: '/elsewhere' } }] });
    const result = await egressWith().post(requestTo(receiver.url('/first')));
    expect(result).toMatchObject({
      outcome: 'RESPONSE',
      statusCode: status,
      headers: { location: '/elsewhere' },
    });
    expect(receiver.requests.map((request) => request.path)).toEqual(['/first']);
  });

  test.each([400, 401, 404, 410, 429, 500, 503])('tells a %i as the data it is', async (status) => {
    const receiver = await receiverWith({
      script: [{ status, headers: { 'retry-after': '7' }, body: 'no' }],
    });
    const result = await egressWith().post(requestTo(receiver.url()));
    expect(result).toMatchObject({
      outcome: 'RESPONSE',
      statusCode: status,
      body: 'no',
      headers: { 'retry-after': '7' },
    });
  });

  test('waits for the final answer after an informational one', async () => {
    const url = await rawServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n');
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      });
    });
    expect(await egressWith().post(requestTo(url))).toMatchObject({
      outcome: 'RESPONSE',
      statusCode: 200,
      body: 'ok',
    });
  });

  test('reads an answer that drips in', async () => {
    const receiver = await receiverWith({ script: [{ body: drip('{"slow":true}') }] });
    const result = await egressWith().post(requestTo(receiver.url()));
    expect(result).toMatchObject({ outcome: 'RESPONSE', body: '{"slow":true}', bodyTruncated: false });
  });

  test('reads an answer that ends with the connection', async () => {
    const url = await rawServer(
      (socket) => void socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it')),
    );
    expect(await egressWith().post(requestTo(url))).toMatchObject({
      outcome: 'RESPONSE',
      body: 'all of it',
      bodyTruncated: false,
    });
  });

  test('refuses what the policy refuses without connecting', async () => {
    const receiver = await receiverWith();
    const egress = egressWith({ allow: [] });
    const refusals = [
      receiver.url('/secret'),
      'http://user:secret@127.0.0.1/',
      'ftp://127.0.0.1/',
      'nonsense',
    ];
    for (const url of refusals) {
      const result = await egress.post(requestTo(url));
      expect(result).toMatchObject({ outcome: 'REFUSED_BY_POLICY', bytesSent: false });
      expect(result.error?.message).not.toContain('secret');
    }
    expect(receiver.connections.accepted).toBe(0);
  });

  test('refuses a request that HTTP cannot carry, and goes on with the next', async () => {
    const receiver = await receiverWith();
    const egress = egressWith({ connectionsPerOrigin: 2 });
    const bad: Record<string, string>[] = [
      { 'x-split': 'a\r\nx-injected: b' },
      { 'x-emoji': '⚙' },
      { 'bad name': 'x' },
      { host: 'elsewhere.example' },
      { Host: 'elsewhere.example' },
      { 'transfer-encoding': 'chunked' },
      { 'content-length': '1' },
      { expect: '100-continue' },
    ];
    for (const headers of bad) {
      const result = await egress.post(requestTo(receiver.url(), { headers }));
      expect(result).toMatchObject({
        outcome: 'REFUSED_BY_POLICY',
        bytesSent: false,
        error: { code: 'INVALID_REQUEST' },
      });
    }
    expect(await egress.post(requestTo(receiver.url()))).toMatchObject({ outcome: 'RESPONSE' });
    expect(receiver.requests).toHaveLength(1);
  });
});

describe('a bounded answer', () => {
  test('cuts a body without end and lets go of the connection', async () => {
    const receiver = await receiverWith({ script: [{ body: endless() }] });
    const result = await egressWith().post(
      requestTo(receiver.url(), { maxResponseBytes: 1000, timeoutMs: 60_000 }),
    );
    expect(result).toMatchObject({
      outcome: 'RESPONSE',
      statusCode: 200,
      bodyTruncated: true,
      body: 'x'.repeat(1000),
    });
    await receiver.waitForIdle();
  });

  test('keeps a body of exactly the limit whole', async () => {
    const receiver = await receiverWith({ script: [{ body: 'x'.repeat(1000) }] });
    const result = await egressWith().post(requestTo(receiver.url(), { maxResponseBytes: 1000 }));
    expect(result).toMatchObject({ body: 'x'.repeat(1000), bodyTruncated: false });
  });

  test('keeps the connection when little more comes than is kept', async () => {
    const receiver = await receiverWith({ script: [{ body: 'x'.repeat(3000) }] });
    const egress = egressWith();
    for (let i = 0; i < 10; i++) {
      const result = await egress.post(requestTo(receiver.url(), { maxResponseBytes: 1000 }));
      expect(result).toMatchObject({ body: 'x'.repeat(1000), bodyTruncated: true });
    }
    expect(receiver.connections.accepted).toBeLessThanOrEqual(2);
  });

  test('keeps nothing when nothing is wanted', async () => {
    const receiver = await receiverWith({ script: [{ body: 'unwanted' }] });
    const result = await egressWith().post(requestTo(receiver.url(), { maxResponseBytes: 0 }));
    expect(result).toMatchObject({ outcome: 'RESPONSE', body: '', bodyTruncated: true });
  });

  test('joins the pieces of a body and bounds their sum', async () => {
    async function* pieces() {
      yield* ['abc', 'def', 'ghi', 'jkl'];
    }
    const receiver = await receiverWith({ handler: () => ({ body: pieces() }) });
    const egress = egressWith();
    expect(await egress.post(requestTo(receiver.url()))).toMatchObject({ body: 'abcdefghijkl' });
    const result = await egress.post(requestTo(receiver.url(), { maxResponseBytes: 7 }));
    expect(result).toMatchObject({ body: 'abcdefg', bodyTruncated: true });
  });

  test('replaces what is not UTF-8', async () => {
    const receiver = await receiverWith({ script: [{ body: Uint8Array.of(0x61, 0xff, 0x62) }] });
    expect(await egressWith().post(requestTo(receiver.url()))).toMatchObject({ body: 'a\ufffdb' });
  });

  test('keeps 16 KiB of headers and gives up on those beyond 64 KiB', async () => {
    const headers = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`x-${i}`, 'v'.repeat(5000)]));
    const receiver = await receiverWith({
      script: [{ status: 204, headers }, { headers: { 'x-huge': 'v'.repeat(70_000) } }],
    });
    const egress = egressWith();
    const result = await egress.post(requestTo(receiver.url()));
    expect(result).toMatchObject({ outcome: 'RESPONSE', statusCode: 204 });
    expect(Object.keys(result.headers ?? {})).toEqual(['x-0', 'x-1', 'x-2']);
    expect(await egress.post(requestTo(receiver.url()))).toMatchObject({
      outcome: 'UNKNOWN',
      bytesSent: true,
      error: { code: 'BAD_RESPONSE' },
    });
  });
});

describe('time', () => {
  test('an answer that does not come is a time-out after the bytes were sent', async () => {
    const receiver = await receiverWith({ script: [{ fault: 'never' }, {}] });
    const egress = egressWith();
    const result = await egress.post(requestTo(receiver.url('/secret?key=secret'), { timeoutMs: 120 }));
    expect(result).toMatchObject({ outcome: 'TIMEOUT', bytesSent: true, error: { code: 'ANSWER_TIMEOUT' } });
    expect(result.error?.message).toBe(`127.0.0.1:${receiver.port} did not answer within 120 ms`);
    expect(result.durationMs).toBeGreaterThanOrEqual(120);
    expect(await egress.post(requestTo(receiver.url()))).toMatchObject({ outcome: 'RESPONSE' });
    expect(receiver.connections.accepted).toBe(2);
  });

  test('a name that takes too long to resolve is a time-out before anything was sent', async () => {
    const egress = egressWith({ lookup: () => new Promise(() => undefined) });
    const result = await egress.post(requestTo('https://slow.example/', { timeoutMs: 100 }));
    expect(result).toMatchObject({
      outcome: 'TIMEOUT',
      bytesSent: false,
      error: { code: 'CONNECT_TIMEOUT' },
    });
  });

  test('a handshake that does not end is a time-out before anything was sent', async () => {
    const url = await rawServer(() => undefined);
    const egress = egressWith();
    const result = await egress.post(requestTo(url.replace('http:', 'https:'), { timeoutMs: 100 }));
    expect(result).toMatchObject({ outcome: 'TIMEOUT', bytesSent: false });
  });

  test('connecting has a bound of its own', async () => {
    const url = await rawServer(() => undefined);
    const egress = egressWith({ connectTimeoutMs: 100 });
    const result = await egress.post(requestTo(url.replace('http:', 'https:'), { timeoutMs: 60_000 }));
    expect(result).toMatchObject({
      outcome: 'TIMEOUT',
      bytesSent: false,
      error: { code: 'CONNECT_TIMEOUT' },
    });
  });

  test('a body that does not end is an answer, cut short', async () => {
    const stall = Promise.withResolvers<never>();
    stall.promise.catch(() => undefined);
    async function* stalling() {
      yield 'begun';
      yield await stall.promise;
    }
    const receiver = await receiverWith({ script: [{ body: stalling() }] });
    const result = await egressWith().post(requestTo(receiver.url(), { timeoutMs: 150 }));
    expect(result).toMatchObject({
      outcome: 'RESPONSE',
      statusCode: 200,
      body: 'begun',
      bodyTruncated: true,
      error: { code: 'BODY_TIMEOUT' },
    });
    await receiver.waitForIdle();
  });

  test('what ran out of time while it waited for a connection is never sent', async () => {
    const release = Promise.withResolvers<void>();
    const receiver = await receiverWith({ script: [{ after: release.promise }, {}] });
    const egress = egressWith({ connectionsPerOrigin: 1 });
    const first = egress.post(requestTo(receiver.url('/first')));
    await receiver.waitFor(1);
    const waiting = [1, 2, 3].map((n) =>
      egress.post(requestTo(receiver.url(`/waiting-${n}`), { timeoutMs: 60 })),
    );
    for (const result of await Promise.all(waiting)) {
      expect(result).toMatchObject({ outcome: 'TIMEOUT', bytesSent: false });
    }
    release.resolve();
    expect(await first).toMatchObject({ outcome: 'RESPONSE' });
    expect(await egress.post(requestTo(receiver.url('/last')))).toMatchObject({ outcome: 'RESPONSE' });
    expect(receiver.requests.map((request) => request.path)).toEqual(['/first', '/last']);
    expect(receiver.connections.accepted).toBe(1);
  });
});

describe('a host that is slow to connect', () => {
  test('is never sent what ran out of time before the connection was there', async () => {
    const receiver = await receiverWith();
    const address = Promise.withResolvers<string[]>();
    const egress = egressWith({ connectionsPerOrigin: 2, lookup: () => address.promise });
    const url = (path: string) => `http://slow.test:${receiver.port}${path}`;
    const late = ['/1', '/2', '/3', '/4'].map((path) => egress.post(requestTo(url(path), { timeoutMs: 60 })));
    for (const result of await Promise.all(late)) {
      expect(result).toMatchObject({
        outcome: 'TIMEOUT',
        bytesSent: false,
        error: { code: 'CONNECT_TIMEOUT' },
      });
    }
    const live = ['/5', '/6', '/7'].map((path) => egress.post(requestTo(url(path))));
    address.resolve(['127.0.0.1']);
    for (const result of await Promise.all(live)) expect(result).toMatchObject({ outcome: 'RESPONSE' });
    expect(receiver.requests.map((request) => request.path).sort()).toEqual(['/5', '/6', '/7']);
    expect(receiver.connections.accepted).toBeLessThanOrEqual(2);
  });
});

describe('a connection that fails', () => {
  test('refused: nothing was sent', async () => {
    const receiver = await startReceiver();
    await receiver.close();
    const result = await egressWith().post(requestTo(receiver.url('/secret')));
    expect(result).toMatchObject({ outcome: 'CONNECT', bytesSent: false, error: { code: 'ECONNREFUSED' } });
    expect(result.error?.message).toBe(
      `no connection to 127.0.0.1:${receiver.port}: it was refused; nothing listens there`,
    );
  });

  test('closed after the request was sent: nobody knows', async () => {
    const receiver = await receiverWith({ script: [{ fault: 'reset' }, {}] });
    const egress = egressWith();
    const result = await egress.post(requestTo(receiver.url()));
    expect(result).toMatchObject({ outcome: 'UNKNOWN', bytesSent: true, error: { code: 'CONNECTION_LOST' } });
    expect(await egress.post(requestTo(receiver.url()))).toMatchObject({ outcome: 'RESPONSE' });
    expect(receiver.requests).toHaveLength(2);
  });

  test('closed within the answer: an answer, cut short', async () => {
    const receiver = await receiverWith({ script: [{ status: 202, body: 'half', fault: 'reset-mid-body' }] });
    expect(await egressWith().post(requestTo(receiver.url()))).toMatchObject({
      outcome: 'RESPONSE',
      statusCode: 202,
      body: 'half',
      bodyTruncated: true,
      error: { code: 'BODY_BROKE_OFF' },
    });
  });

  test('not HTTP: nobody knows', async () => {
    const url = await rawServer(
      (socket) => void socket.once('data', () => socket.end('220 mail.example ESMTP\r\n')),
    );
    expect(await egressWith().post(requestTo(url))).toMatchObject({
      outcome: 'UNKNOWN',
      bytesSent: true,
      error: { code: 'BAD_RESPONSE' },
    });
  });
});

describe('connections', () => {
  test('200 requests at once share at most 64 connections, and later ones use them again', async () => {
    const receiver = await receiverWith();
    const egress = egressWith();
    const round = () =>
      Promise.all(Array.from({ length: 200 }, () => egress.post(requestTo(receiver.url()))));
    for (const result of [...(await round()), ...(await round())]) expect(result.statusCode).toBe(200);
    expect(receiver.requests).toHaveLength(400);
    expect(receiver.connections.accepted).toBeLessThanOrEqual(64);
  });

  test('one after the other needs two at most: the first is not free in the very moment of its answer', async () => {
    const receiver = await receiverWith();
    const egress = egressWith();
    for (let i = 0; i < 20; i++) await egress.post(requestTo(receiver.url(`/${i}`)));
    expect(receiver.connections.accepted).toBeLessThanOrEqual(2);
  });

  test('makes room for a new origin by closing the one idle longest', async () => {
    const [a, b, c] = [await receiverWith(), await receiverWith(), await receiverWith()];
    const egress = egressWith({ maxOrigins: 2 });
    for (const receiver of [a, b, a, c]) await egress.post(requestTo(receiver.url()));
    await b.waitForIdle();
    expect(a.connections).toEqual({ accepted: 1, open: 1 });
    // Also for a URL whose origin was known before.
    expect(await egress.post(requestTo(b.url()))).toMatchObject({ outcome: 'RESPONSE' });
    expect(b.connections.accepted).toBe(2);
  });

  test('never closes an origin in use to make room', async () => {
    const release = Promise.withResolvers<void>();
    const busy = await receiverWith({ script: [{ after: release.promise, body: 'late' }] });
    const other = await receiverWith();
    const egress = egressWith({ maxOrigins: 1 });
    const late = egress.post(requestTo(busy.url()));
    await busy.waitFor(1);
    expect(await egress.post(requestTo(other.url()))).toMatchObject({ outcome: 'RESPONSE' });
    release.resolve();
    expect(await late).toMatchObject({ outcome: 'RESPONSE', body: 'late' });
  });
});

describe('close', () => {
  test('ends what is in flight and takes nothing new', async () => {
    const receiver = await receiverWith({ script: [{ fault: 'never' }] });
    const egress = egressWith({ connectionsPerOrigin: 1 });
    const sent = egress.post(requestTo(receiver.url()));
    await receiver.waitFor(1);
    const queued = egress.post(requestTo(receiver.url()));
    await egress.close();
    const stopping = { code: 'EGRESS_CLOSED', message: 'the gateway is stopping' };
    expect(await sent).toMatchObject({ outcome: 'UNKNOWN', bytesSent: true, error: stopping });
    expect(await queued).toMatchObject({ outcome: 'CONNECT', bytesSent: false, error: stopping });
    expect(await egress.post(requestTo(receiver.url()))).toMatchObject({
      outcome: 'CONNECT',
      error: stopping,
    });
    await receiver.waitForIdle();
  });
});

describe('the built-in inspector', () => {
  test('is handed the request without a socket, and its answer has the usual shape', async () => {
    const egress = egressWith({ allow: [] });
    const seen: [string, PostRequest][] = [];
    egress.setInternalTarget(async (binId, request) => {
      seen.push([binId, request]);
      return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' };
    });
    const request = requestTo('inspector:bin_42', { headers: { 'webhook-id': 'evt-1' } });
    const expected: PostResult = {
      outcome: 'RESPONSE',
      bytesSent: true,
      statusCode: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"ok":true}',
      bodyTruncated: false,
      durationMs: expect.any(Number),
    };
    expect(await egress.post(request)).toEqual(expected);
    expect(await egress.post({ ...request, maxResponseBytes: 4 })).toEqual({
      ...expected,
      body: '{"ok',
      bodyTruncated: true,
    });
    expect(seen).toHaveLength(2);
    expect(seen[0]).toEqual(['bin_42', request]);
  });

  test('is timed like any receiver', async () => {
    const egress = egressWith();
    egress.setInternalTarget(() => new Promise(() => undefined));
    const result = await egress.post(requestTo('inspector:bin_42', { timeoutMs: 60 }));
    expect(result).toMatchObject({ outcome: 'TIMEOUT', bytesSent: true });
  });

  test('that fails is an attempt that fails', async () => {
    const egress = egressWith();
    expect(await egress.post(requestTo('inspector:bin_1'))).toMatchObject({
      outcome: 'CONNECT',
      bytesSent: false,
    });
    egress.setInternalTarget(() => Promise.reject(new Error('full')));
    expect(await egress.post(requestTo('inspector:bin_1'))).toMatchObject({
      outcome: 'UNKNOWN',
      error: { code: 'INSPECTOR_FAILED', message: 'the built-in inspector failed: full' },
    });
  });
});
