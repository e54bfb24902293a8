import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { openWelcomeWire, openWire } from '../support/graphql-client.ts';
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
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const INIT = { type: 'connection_init', payload: { authorization: `Bearer ${ADMIN_KEY}` } };
const FOLLOW = { query: 'subscription { events { cursor } }' };

function welcome() {
  return openWelcomeWire(gateway.url, ADMIN_KEY);
}

describe('a websocket is closed', () => {
  it.each([
    'not json',
    '[]',
    '{}',
    '{"type":"dance"}',
    '{"type":"subscribe","id":7,"payload":{"query":"{ __typename }"}}',
    '{"type":"subscribe","id":"1"}',
  ])('with 4400 for %s', async (message) => {
    const wire = await welcome();
    wire.send(message);
    expect((await wire.closed).code).toBe(4400);
  });

  it('with 4401 where it subscribes before it was acknowledged', async () => {
    const wire = await openWire(gateway.url);
    wire.send({ type: 'subscribe', id: '1', payload: { query: '{ __typename }' } });
    expect(await wire.closed).toEqual({ code: 4401, reason: 'Unauthorized' });
  });

  it.each([
    ['no key', undefined],
    ['a wrong key', { authorization: 'Bearer sk-wrong' }],
    ['a key that is no text', { authorization: 7 }],
  ])('with 4403 where it brings %s', async (_case, payload) => {
    const wire = await openWire(gateway.url);
    wire.send({ type: 'connection_init', payload });
    expect(await wire.closed).toEqual({ code: 4403, reason: 'Forbidden' });
  });

  it.each(['', 'graphql-ws', 'chat'])('with 4406 where it speaks the subprotocol "%s"', async (protocol) => {
    const wire = await openWire(gateway.url, { protocol }).catch((error: Error) => error);
    // A client that asked for one it does not get gives up by itself, and never comes as far.
    if (wire instanceof Error) expect(wire.message).toContain('subprotocol');
    else expect((await wire.closed).code).toBe(4406);
  });

  it('with 4408 where it says nothing for three seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const wire = await openWire(gateway.url);
    vi.advanceTimersByTime(3000);
    expect((await wire.closed).code).toBe(4408);
  });

  it('with 4409 where it uses the id of an operation that goes on', async () => {
    const wire = await welcome();
    wire.send({ type: 'subscribe', id: 'twice', payload: FOLLOW });
    wire.send({ type: 'subscribe', id: 'twice', payload: FOLLOW });
    expect(await wire.closed).toEqual({ code: 4409, reason: 'Subscriber for twice already exists' });
  });

  it('with 4429 where it introduces itself twice', async () => {
    const wire = await welcome();
    wire.send(INIT);
    expect((await wire.closed).code).toBe(4429);
  });

  it('with 1009 where a message is larger than 64 KB', async () => {
    const wire = await welcome();
    wire.send({ type: 'ping', payload: { filler: 'x'.repeat(65_536) } });
    expect((await wire.closed).code).toBe(1009);
  });

  it('with 4403 at the next operation after its key was revoked', async () => {
    const { key, secret } = await gateway.services.keys.create({ name: 'short', scopes: ['events:read'] });
    const wire = await openWelcomeWire(gateway.url, secret);
    await gateway.services.keys.revoke(key.id);
    wire.send({ type: 'subscribe', id: '1', payload: FOLLOW });
    expect((await wire.closed).code).toBe(4403);
  });

  it('with 4403 at the next sign of life after its key was revoked, though it does nothing', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { key, secret } = await gateway.services.keys.create({ name: 'short', scopes: ['events:read'] });
    const wire = await openWelcomeWire(gateway.url, secret);
    const pinged = once(wire.socket, 'ping');
    vi.advanceTimersByTime(12_000);
    await pinged;
    await gateway.services.keys.revoke(key.id);
    // The answer to the ping is on its way before this one's.
    wire.send({ type: 'ping' });
    await wire.next();
    vi.advanceTimersByTime(12_000);
    expect((await wire.closed).code).toBe(4403);
  });

  it('without a word where it gives no sign of life', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const wire = await welcome();
    wire.socket.pong = () => undefined;
    const pinged = once(wire.socket, 'ping');
    wire.socket.pause();
    vi.advanceTimersByTime(12_000);
    vi.advanceTimersByTime(12_000);
    wire.socket.resume();
    expect((await wire.closed).code).toBe(1006);
    await pinged.catch(() => undefined);
  });
});

describe('a websocket', () => {
  it('is known by the session cookie of its upgrade, from our own pages only', async () => {
    const { sessions } = gateway.services;
    const cookie = `hookline_session=${sessions.exchange(sessions.createLoginCode())}`;
    const own = await openWire(gateway.url, { headers: { cookie, origin: new URL(gateway.url).origin } });
    own.send({ type: 'connection_init' });
    expect(await own.next()).toEqual({ type: 'connection_ack' });
    own.socket.terminate();
    const foreign = await openWire(gateway.url, { headers: { cookie, origin: 'http://evil.example' } });
    foreign.send({ type: 'connection_init' });
    expect((await foreign.closed).code).toBe(4403);
  });

  it('is answered pings with what they carried', async () => {
    const wire = await welcome();
    wire.send({ type: 'ping', payload: { at: 1 } });
    expect(await wire.next()).toEqual({ type: 'pong', payload: { at: 1 } });
    wire.send({ type: 'ping' });
    expect(await wire.next()).toEqual({ type: 'pong' });
    wire.send({ type: 'pong' });
    wire.socket.terminate();
  });

  it('gets an answer, then complete, and may use the id again', async () => {
    const wire = await welcome();
    for (let round = 0; round < 2; round += 1) {
      wire.send({ type: 'subscribe', id: '1', payload: { query: '{ viewer { name } }' } });
      expect(await wire.next()).toEqual({
        type: 'next',
        id: '1',
        payload: { data: { viewer: { name: 'admin' } } },
      });
      expect(await wire.next()).toEqual({ type: 'complete', id: '1' });
    }
    wire.socket.terminate();
  });

  it.each([
    ['no GraphQL', 'what?', 'BAD_USER_INPUT'],
    ['an unknown field', '{ nothing }', 'BAD_USER_INPUT'],
    [
      'too deep',
      `{ events { edges { node { ${'deliveries { edges { node { event { '.repeat(3)} id ${'} } } }'.repeat(3)} } } } }`,
      'BAD_USER_INPUT',
    ],
    [
      'a variable of the wrong type',
      'query($first: Int) { events(first: $first) { liveCursor } }',
      'BAD_USER_INPUT',
    ],
    ['an operation that is not there', 'query A { __typename }', 'BAD_USER_INPUT'],
  ])('gets one error and no complete for %s', async (what, query, code) => {
    const wire = await welcome();
    const payload = {
      query,
      variables: { first: 'many' },
      ...(what.startsWith('an operation') ? { operationName: 'B' } : {}),
    };
    wire.send({ type: 'subscribe', id: '1', payload });
    const answer = await wire.next();
    const [error] = answer.type === 'error' ? answer.payload : answer.payload.errors;
    expect(error.extensions).toMatchObject({ code });
    expect(error.extensions.http).toBeUndefined();
    if (answer.type === 'error') {
      wire.send({ type: 'ping' });
      expect((await wire.next()).type).toBe('pong');
    }
    wire.socket.terminate();
  });

  it('may have fifty operations under way, and not one more', async () => {
    const wire = await welcome();
    for (let id = 1; id <= 50; id += 1) wire.send({ type: 'subscribe', id: String(id), payload: FOLLOW });
    await gateway.tails.untilOpen(50);
    wire.send({ type: 'subscribe', id: '51', payload: FOLLOW });
    expect(await wire.next()).toMatchObject({
      type: 'error',
      id: '51',
      payload: [{ extensions: { code: 'RATE_LIMITED' } }],
    });
    wire.send({ type: 'complete', id: '1' });
    await gateway.tails.untilOpen(49);
    wire.send({ type: 'subscribe', id: '52', payload: FOLLOW });
    await gateway.tails.untilOpen(50);
    wire.socket.terminate();
    await gateway.tails.untilOpen(0);
  });

  it('that asks and does not read is not read from either, and gets every answer when it does', async () => {
    const wire = await welcome();
    const paused = new Promise<void>((resolve) => {
      const { pause } = WebSocket.prototype;
      vi.spyOn(WebSocket.prototype, 'pause').mockImplementation(function (this: WebSocket) {
        pause.call(this);
        if (this !== wire.socket) resolve();
      });
    });
    wire.socket.pause();
    const count = 300;
    const filler = 'x'.repeat(60_000);
    for (let number = 0; number < count; number += 1)
      wire.send({ type: 'ping', payload: { number, filler } });
    await paused;
    wire.socket.resume();
    for (let number = 0; number < count; number += 1) expect((await wire.next()).payload.number).toBe(number);
    wire.socket.terminate();
  });
});
