import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventTypes } from '../../gateway/events/catalog.ts';
import { envelopeBody } from '../../gateway/events/event.ts';
import { HooklineError } from '../../gateway/errors.ts';
import { createRestHandler } from '../../gateway/rest/rest-handler.ts';
import type { DeliveryService, EventService, Principal, Scope } from '../../gateway/services.ts';
import { createEndpointWorld } from '../support/endpoint-registry.ts';

const ENDPOINTS = '/api/v2/webhooks/endpoints';
const MAX_BODY_BYTES = 4096;

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** The handler behind a real server; a key is a comma list of the scopes it has. */
async function setUp(
  overrides: { events?: EventService['publish']; sendTest?: DeliveryService['sendTest'] } = {},
) {
  const world = createEndpointWorld();
  const endpoints = await world.start();
  const refuse = () => Promise.reject(new Error('not part of this test'));
  const log = { error: vi.fn() };
  const handle = createRestHandler({
    services: {
      endpoints,
      events: { publish: overrides.events ?? refuse },
      deliveries: { sendTest: overrides.sendTest ?? refuse, sendTo: refuse, retry: refuse, cancel: refuse },
    },
    authenticate({ headers }): Principal | null {
      const scopes = headers.authorization?.replace('Bearer ', '');
      if (scopes === 'limited') {
        throw new HooklineError('RATE_LIMITED', 'Wait 7 s.', { details: { retryAfterSeconds: 7 } });
      }
      return scopes === undefined
        ? null
        : { keyId: 'key_1', name: 'test', scopes: new Set(scopes.split(',') as Scope[]) };
    },
    log,
    makeId: () => 'fault-1',
    maxBodyBytes: MAX_BODY_BYTES,
  });
  const handling: Promise<unknown>[] = [];
  const server = createServer((request, response) => {
    const serve = async (): Promise<void> => {
      if (!(await handle(request, response, request.url!))) response.writeHead(418).end();
    };
    handling.push(serve());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(async () => {
    server.close();
    server.closeAllConnections();
    await endpoints[Symbol.asyncDispose]();
  });
  const { port } = server.address() as AddressInfo;
  const call = async (
    method: string,
    path: string,
    options: { key?: string | null; body?: unknown; headers?: Record<string, string> } = {},
  ) => {
    const { key = 'webhooks:read,webhooks:write,events:publish', body, headers } = options;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: text === '' ? null : (JSON.parse(text) as unknown),
    };
  };
  return { ...world, endpoints, call, log, port, server, handling };
}

const VENDOR_BODY = `{
    "url": "https://yourapp.example/webhooks/mes",
    "events": ["work_order.created", "work_order.completed"],
    "active": true
  }`;

describe('endpoints', () => {
  it('are registered by the body of the vendor page, with the secret shown this once', async () => {
    const { call, endpoints } = await setUp();
    const { status, json, headers } = await call('POST', ENDPOINTS, { body: VENDOR_BODY });
    expect(status).toBe(201);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(json).toMatchObject({
      id: expect.stringMatching(/^ep_/) as unknown,
      url: 'https://yourapp.example/webhooks/mes',
      events: ['work_order.created', 'work_order.completed'],
      active: true,
      secret: expect.stringMatching(/^whsec_/) as unknown,
      createdAt: '2026-01-15T08:00:00.000Z',
    });
    const { id, secret } = json as { id: string; secret: string };
    expect(endpoints.list().map((endpoint) => endpoint.id)).toEqual([id]);
    const shown = [await call('GET', ENDPOINTS), await call('GET', `${ENDPOINTS}/${id}`)];
    expect(shown.map(({ json: body }) => body)).toMatchObject([{ data: [{ id }] }, { id, retiredAt: null }]);
    for (const { text } of shown) expect(text).not.toContain(secret);
  });

  it('are changed, tested, rotated and deleted', async () => {
    const sendTest = vi.fn<DeliveryService['sendTest']>((endpointId, eventType) =>
      Promise.resolve({
        id: 'dlv_1',
        eventId: 'evt_test_1',
        eventType,
        endpointId,
        status: 'PENDING',
        reason: null,
        attemptCount: 0,
        generation: 0,
        step: 0,
        nextAttemptAt: 0,
        createdAt: 0,
        completedAt: null,
        test: true,
        orderKey: null,
        direct: true,
        context: null,
      }),
    );
    const { call, endpoints } = await setUp({ sendTest });
    const { endpoint, secret } = await endpoints.create({ url: 'https://hooks.example', events: ['*'] });
    const path = `${ENDPOINTS}/${endpoint.id}`;
    expect(await call('PATCH', path, { body: { active: false, retrySchedule: ['0s', '1h'] } })).toMatchObject(
      {
        status: 200,
        json: { active: false, retrySchedule: ['0s', '1h'], events: ['*'] },
      },
    );
    expect(await call('POST', `${path}/test`, { body: { eventType: 'work_order.created' } })).toMatchObject({
      status: 201,
      json: {
        id: 'dlv_1',
        status: 'PENDING',
        test: true,
        nextAttemptAt: '1970-01-01T00:00:00.000Z',
        completedAt: null,
      },
    });
    expect(sendTest).toHaveBeenCalledExactlyOnceWith(endpoint.id, 'work_order.created');
    const rotated = await call('POST', `${path}/rotate`);
    expect(rotated).toMatchObject({ status: 200, json: { id: endpoint.id } });
    expect((rotated.json as { secret: string }).secret).not.toBe(secret);
    expect(await call('POST', `${path}/rotate`, { body: { overlapSeconds: 0 } })).toMatchObject({
      status: 200,
    });
    expect(await call('DELETE', path)).toMatchObject({ status: 204, text: '' });
    expect(await call('DELETE', path)).toMatchObject({ status: 404 });
    expect(await call('GET', path)).toMatchObject({
      status: 200,
      json: { retiredAt: '2026-01-15T08:00:00.000Z' },
    });
    expect(await call('PATCH', path, { body: { active: true } })).toMatchObject({
      status: 409,
      json: { error: { code: 'CONFLICT' } },
    });
  });

  it('take every setting that there is, clear what null clears, and show the public key alone', async () => {
    const { call } = await setUp();
    const shaped = {
      urlIsSecret: false,
      filter: 'data.quantity > 10',
      payload: '{ "id": data.id }',
      orderBy: 'data.workOrder.id',
      onFailed: 'SKIP',
      newestOnly: true,
      rateLimitPerSecond: 2.5,
      timeToLiveSeconds: 90,
    };
    const created = await call('POST', ENDPOINTS, {
      body: { url: 'https://hooks.example', events: ['*'], ...shaped, ed25519: true },
    });
    expect(created).toMatchObject({
      status: 201,
      json: { ...shaped, publicKey: expect.stringMatching(/^whpk_/) as unknown, disabledReason: null },
    });
    expect(created.text).not.toContain('whsk_');
    const path = `${ENDPOINTS}/${(created.json as { id: string }).id}`;
    const cleared = { rateLimitPerSecond: null, timeToLiveSeconds: null, filter: null, payload: null };
    const changed = await call('PATCH', path, {
      body: { ...cleared, payload: '', onFailed: null, ed25519: false, urlIsSecret: true },
    });
    expect(changed).toMatchObject({
      status: 200,
      json: { ...shaped, ...cleared, publicKey: null, urlIsSecret: true },
    });
    expect(await call('PATCH', path, { body: { orderBy: null } })).toMatchObject({
      status: 400,
      json: { error: { code: 'BAD_USER_INPUT', details: { field: 'newestOnly' } } },
    });
  });

  it('mask a URL and headers that are secrets for readers who may not change them', async () => {
    const { call, endpoints } = await setUp();
    await endpoints.create({
      url: 'https://hook.eu1.make.com/hidden',
      events: ['*'],
      headers: [{ name: 'x-key', value: 'hidden', secret: true }],
    });
    expect((await call('GET', ENDPOINTS, { key: 'webhooks:read' })).text).not.toContain('hidden');
    expect((await call('GET', ENDPOINTS, { key: 'flow' })).text).not.toContain('hidden');
    expect((await call('GET', ENDPOINTS, { key: 'admin' })).text).toContain('/hidden');
  });
});

describe('events', () => {
  it('are published with what was given', async () => {
    const publish = vi.fn<EventService['publish']>(
      ({ id = 'evt_made', type, occurredAt = 0, data, test = false }) =>
        Promise.resolve({
          id,
          type,
          occurredAt,
          receivedAt: 1000,
          source: null,
          machine: null,
          test,
          hops: 0,
          body: envelopeBody({ id, type, timestamp: '', data }),
          raw: null,
          verifiedLeniently: false,
        }),
    );
    const { call } = await setUp({ events: publish });
    const body = {
      id: 'evt-7',
      type: 'work_order.created',
      timestamp: '2026-01-01T09:00:00+01:00',
      data: { a: 1 },
      test: true,
      hops: 2,
    };
    expect(await call('POST', '/api/v2/events', { body })).toMatchObject({
      status: 201,
      json: {
        id: 'evt-7',
        type: 'work_order.created',
        timestamp: '2026-01-01T08:00:00.000Z',
        receivedAt: '1970-01-01T00:00:01.000Z',
        test: true,
      },
    });
    const { timestamp: _, ...rest } = body;
    expect(publish).toHaveBeenLastCalledWith({ ...rest, occurredAt: Date.UTC(2026, 0, 1, 8) });
    await call('POST', '/api/v2/events', { body: { type: 'x', data: null } });
    expect(publish).toHaveBeenLastCalledWith({ type: 'x', data: null });
  });

  it('are refused with the field at fault where they make no sense', async () => {
    const { call } = await setUp();
    const wrong: [object, string][] = [
      [{ data: {} }, 'type'],
      [{ type: 'x' }, 'data'],
      [{ type: 'x', data: 1, id: 7 }, 'id'],
      [{ type: 'x', data: 1, timestamp: 'yesterday' }, 'timestamp'],
      [{ type: 'x', data: 1, timestamp: 1_700_000_000 }, 'timestamp'],
      [{ type: 'x', data: 1, test: 'yes' }, 'test'],
      [{ type: 'x', data: 1, hops: -1 }, 'hops'],
      [{ type: 'x', data: 1, payload: {} }, 'payload'],
    ];
    for (const [body, field] of wrong) {
      const answer = await call('POST', '/api/v2/events', { body });
      expect(answer, field).toMatchObject({
        status: 400,
        json: { error: { code: 'BAD_USER_INPUT', details: { field } } },
      });
    }
  });

  it('have types that every key can look up', async () => {
    const { call } = await setUp();
    const { status, json } = await call('GET', '/api/v2/event-types', { key: 'metrics:read' });
    expect(status).toBe(200);
    expect((json as { data: { name: string }[] }).data.map(({ name }) => name)).toEqual(
      eventTypes.map(({ name }) => name),
    );
    expect(await call('GET', '/api/v2/event-types', { key: null })).toMatchObject({ status: 401 });
  });
});

describe('every answer', () => {
  it('leaves paths of others alone', async () => {
    const { call } = await setUp();
    for (const path of [
      '/',
      '/api/v2',
      '/api/v2/events/x',
      `${ENDPOINTS}/a/b`,
      `${ENDPOINTS}/`,
      `${ENDPOINTS}/ep_1/tests`,
      `${ENDPOINTS}x`,
    ]) {
      expect((await call('GET', path)).status, path).toBe(418);
    }
  });

  it('asks for a key with the right scope before it looks at anything else', async () => {
    const { call } = await setUp();
    const needs: [string, string, string][] = [
      ['GET', ENDPOINTS, 'webhooks:write'],
      ['GET', `${ENDPOINTS}/ep_1`, 'events:read'],
      ['POST', ENDPOINTS, 'webhooks:read'],
      ['PATCH', `${ENDPOINTS}/ep_1`, 'flow'],
      ['DELETE', `${ENDPOINTS}/ep_1`, 'flow'],
      ['POST', `${ENDPOINTS}/ep_1/test`, 'webhooks:read'],
      ['POST', `${ENDPOINTS}/ep_1/rotate`, 'flow'],
      ['POST', '/api/v2/events', 'events:read'],
    ];
    for (const [method, path, lacking] of needs) {
      const nobody = await call(method, path, { key: null });
      expect(nobody, path).toMatchObject({ status: 401, json: { error: { code: 'UNAUTHENTICATED' } } });
      expect(nobody.headers.get('www-authenticate')).toBe('Bearer');
      expect(await call(method, path, { key: lacking }), path).toMatchObject({
        status: 403,
        json: { error: { code: 'FORBIDDEN' } },
      });
    }
    expect(
      await call('POST', `${ENDPOINTS}/ep_1/test`, { key: 'flow', body: { eventType: 'x' } }),
    ).toMatchObject({ status: 404 });
    const limited = await call('GET', ENDPOINTS, { key: 'limited' });
    expect(limited).toMatchObject({ status: 429, json: { error: { code: 'RATE_LIMITED' } } });
    expect(limited.headers.get('retry-after')).toBe('7');
  });

  it('names what is wrong with the input: field, unknown member, form of the body', async () => {
    const { call } = await setUp();
    const post = (body: unknown, headers: Record<string, string> = {}) =>
      call('POST', ENDPOINTS, { body, headers });
    const good = { url: 'https://hooks.example', events: ['*'] };
    const cases: [Promise<{ status: number; json: unknown }>, number, object][] = [
      [post({ ...good, evnets: ['*'] }), 400, { field: 'evnets' }],
      [post({ ...good, id: 'ep_mine' }), 400, { field: 'id' }],
      [post({ events: ['*'] }), 400, { field: 'url' }],
      [post({ ...good, timeoutSeconds: '5' }), 400, { field: 'timeoutSeconds' }],
      [post({ ...good, url: 'http://10.0.0.1/' }), 400, { field: 'url', addToAllow: ['10.0.0.1/32'] }],
      [post('{"url":'), 400, { field: 'body' }],
      [post('["url"]'), 400, { field: 'body' }],
      [post('null'), 400, { field: 'body' }],
      [post(JSON.stringify(good), { 'content-type': 'text/plain' }), 400, { field: 'content-type' }],
      [call('PATCH', `${ENDPOINTS}/ep_unknown`, { body: {} }), 404, {}],
      [call('POST', `${ENDPOINTS}/ep_unknown/test`, { body: {} }), 400, { field: 'eventType' }],
      [call('PUT', ENDPOINTS, { body: good }), 404, {}],
    ];
    for (const [answer, status, details] of cases) {
      expect(await answer).toMatchObject({
        status,
        json: { error: { message: expect.any(String) as unknown, details } },
      });
    }
  });

  it('is never a fault of ours, whatever JSON is sent', async () => {
    const { call, log, endpoints } = await setUp({
      events: () => Promise.reject(new HooklineError('CONFLICT', 'Taken.')),
    });
    const { endpoint } = await endpoints.create({ url: 'https://hooks.example', events: ['*'] });
    const name = fc.constantFrom(
      'url',
      'events',
      'headers',
      'secret',
      'type',
      'data',
      'eventType',
      'overlapSeconds',
      '__proto__',
    );
    const path = fc.constantFrom(
      ENDPOINTS,
      `${ENDPOINTS}/${endpoint.id}/test`,
      `${ENDPOINTS}/${endpoint.id}/rotate`,
      '/api/v2/events',
    );
    await fc.assert(
      fc.asyncProperty(path, fc.dictionary(name, fc.jsonValue()), async (target, body) => {
        const { status } = await call('POST', target, { body });
        expect(status === 200 || (status >= 400 && status < 500), String(status)).toBe(true);
      }),
    );
    expect(log.error).not.toHaveBeenCalled();
  });

  it('takes JSON of every kind and refuses compressed bodies', async () => {
    const { call } = await setUp();
    const body = JSON.stringify({ url: 'https://hooks.example', events: ['*'] });
    for (const type of ['application/json; charset=utf-8', 'application/vnd.api+json', 'Application/JSON']) {
      expect((await call('POST', ENDPOINTS, { body, headers: { 'content-type': type } })).status, type).toBe(
        201,
      );
    }
    expect(await call('POST', ENDPOINTS, { body, headers: { 'content-encoding': 'gzip' } })).toMatchObject({
      status: 415,
      json: { error: { code: 'UNSUPPORTED_ENCODING' } },
    });
  });

  it('refuses a body over the limit, announced or not, and goes on serving', async () => {
    const { call } = await setUp();
    const huge = JSON.stringify({ description: 'x'.repeat(2 * 1024 * 1024) });
    expect(await call('POST', ENDPOINTS, { body: huge })).toMatchObject({
      status: 413,
      json: { error: { code: 'TOO_LARGE' } },
    });
    expect(await call('POST', ENDPOINTS, { body: 'x'.repeat(MAX_BODY_BYTES + 1) })).toMatchObject({
      status: 413,
    });
    expect((await call('GET', ENDPOINTS)).status).toBe(200);
  });

  it('survives a caller that hangs up in the middle of a body', async () => {
    const { call, port, log, server, handling } = await setUp();
    const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: ENDPOINTS });
    request.setHeader('authorization', 'Bearer admin');
    request.setHeader('content-length', '100');
    request.write('{"url":');
    const closed = new Promise((resolve) => request.on('close', resolve).on('error', resolve));
    server.once('request', () => request.destroy());
    await closed;
    await Promise.all(handling);
    expect((await call('GET', ENDPOINTS)).status).toBe(200);
    expect(log.error).not.toHaveBeenCalled();
  });

  it('tells of a fault of ours by an id alone, under which the log has it', async () => {
    const fault = new Error('SELECT secret FROM somewhere');
    const { call, log } = await setUp({ events: () => Promise.reject(fault) });
    const { status, text } = await call('POST', '/api/v2/events', { body: { type: 'x', data: 1 } });
    expect(status).toBe(500);
    expect(JSON.parse(text)).toEqual({
      error: {
        code: 'INTERNAL',
        message: expect.stringMatching(/fault-1/) as unknown,
        details: { id: 'fault-1' },
      },
    });
    expect(text).not.toContain('SELECT');
    expect(log.error).toHaveBeenCalledExactlyOnceWith({ err: fault, id: 'fault-1' }, expect.any(String));
  });

  it('asks to come back where the store cannot take it now', async () => {
    const { call } = await setUp({
      events: () => Promise.reject(new HooklineError('STORE_UNAVAILABLE', 'Full.')),
    });
    const answer = await call('POST', '/api/v2/events', { body: { type: 'x', data: 1 } });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
  });
});
