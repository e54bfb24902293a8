import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/clock.ts';
import { createWebhookConnector } from '../../gateway/connectors/webhook.ts';
import type { EndpointRuntime, EndpointSecrets } from '../../gateway/delivery/endpoint-runtime.ts';
import { createEgress } from '../../gateway/egress/post.ts';
import { generateKeyPair, generateSecret, parsePublicKey } from '../../gateway/signing/secret.ts';
import { standardScheme } from '../../gateway/signing/standard.ts';
import type { Lease } from '../../gateway/store/store.ts';
import { startReceiver, type Answer, type Receiver } from '../support/http-receiver.ts';
import { makeEvent } from '../support/store-fixtures.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const CURRENT = generateSecret();
const OLD = generateSecret();
const ONE_SECRET: EndpointSecrets = { current: CURRENT, old: [], privateKey: null };

async function setUp(...script: Answer[]) {
  const receiver = await startReceiver({ script });
  const egress = createEgress({ allow: ['127.0.0.0/8'], clock: systemClock });
  const connector = createWebhookConnector({
    egress,
    clock: systemClock,
    version: '1.2.3',
    maxResponseBytes: 100,
    evaluate: (source, { data }) =>
      source === 'fails'
        ? { ok: false, code: 'EXPRESSION_ERROR', message: 'no' }
        : { ok: true, value: { from: data } },
  });
  return {
    receiver,
    send: async (
      endpoint: Partial<EndpointRuntime['endpoint']> = {},
      lease: Partial<Lease> = {},
      secrets = ONE_SECRET,
    ) => {
      const sent = await connector.send(makeLease(lease), makeRuntime(receiver, endpoint, secrets));
      if (sent.kind !== 'attempted') throw new Error(`nothing was sent: ${sent.reason}`);
      return sent;
    },
    [Symbol.asyncDispose]: async () => {
      await egress.close();
      await receiver.close();
    },
  };
}

function makeLease(overrides: Partial<Lease>): Lease {
  return { event: makeEvent(systemClock, { id: 'evt-123' }), attemptNumber: 3, ...overrides } as Lease;
}

function makeRuntime(receiver: Receiver, endpoint: object, secrets: EndpointSecrets): EndpointRuntime {
  return {
    endpoint: {
      url: receiver.url('/hook'),
      headers: [],
      timeoutSeconds: 2,
      successStatus: 'ANY_2XX',
      legacySignature: true,
      ...endpoint,
    },
    secrets: () => secrets,
    payload: (endpoint as { payload?: string }).payload ?? null,
  } as unknown as EndpointRuntime;
}

describe('the webhook connector', () => {
  it('sends the envelope signed so that the vendor’s check and a stock Standard Webhooks library accept it', async () => {
    await using set = await setUp();
    const { attempt } = await set.send();
    const [request] = set.receiver.requests;
    const body = request!.body.toString();
    expect(attempt).toMatchObject({ outcome: 'SUCCESS', statusCode: 200, error: null });
    expect(new Webhook(CURRENT).verify(body, request!.headers)).toEqual(JSON.parse(body));
    const naive = createHmac('sha256', CURRENT)
      .update(JSON.stringify(JSON.parse(body)))
      .digest('hex');
    expect(request!.headers['x-mes-signature']).toBe(naive);
    expect(request!.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Hookline/1.2.3',
      'webhook-id': 'evt-123',
      'x-hookline-attempt': '3',
    });
    expect(request!.headers['x-hookline-test']).toBeUndefined();
    expect(JSON.parse(attempt.requestHeaders!)).toMatchObject({ 'webhook-id': 'evt-123' });
  });

  it('signs with both secrets while they overlap; the scheme with room for one stays on the old', async () => {
    await using set = await setUp();
    await set.send({}, {}, { ...ONE_SECRET, old: [OLD] });
    const [request] = set.receiver.requests;
    const body = request!.body.toString();
    for (const secret of [CURRENT, OLD]) new Webhook(secret).verify(body, request!.headers);
    expect(request!.headers['x-mes-signature']).toBe(createHmac('sha256', OLD).update(body).digest('hex'));
  });

  it('signs with the ed25519 key too, so that whoever has the public key alone can verify', async () => {
    await using set = await setUp();
    await using folder = await makeTempFolder();
    const { privateKey, publicKey } = generateKeyPair();
    await set.send({}, {}, { ...ONE_SECRET, old: [OLD], privateKey });
    const { headers, body } = set.receiver.requests[0]!;
    const signatures = String(headers['webhook-signature']).split(' ');
    expect(signatures.map((signature) => signature.split(',')[0])).toEqual(['v1', 'v1', 'v1a']);
    for (const secret of [CURRENT, OLD]) new Webhook(secret).verify(body.toString(), headers);

    const file = (name: string) => join(folder.path, name);
    const pem = parsePublicKey(publicKey).export({ format: 'pem', type: 'spki' });
    await writeFile(file('public.pem'), pem);
    await writeFile(file('signature'), Buffer.from(signatures[2]!.slice('v1a,'.length), 'base64'));
    const verify = async (content: Buffer) => {
      await writeFile(file('content'), content);
      const given = ['-inkey', file('public.pem'), '-in', file('content'), '-sigfile', file('signature')];
      const options = ['pkeyutl', '-verify', '-pubin', '-rawin', ...given];
      return execFileSync('openssl', options, { stdio: 'pipe' }).toString();
    };
    const before = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.`;
    expect(await verify(Buffer.concat([Buffer.from(before), body]))).toContain('Verified Successfully');
    await expect(verify(Buffer.concat([Buffer.from(before), body, Buffer.from(' ')]))).rejects.toThrow();
  });

  it('signs with the ed25519 key alone where the secret is good for the legacy signature only', async () => {
    await using set = await setUp();
    const { privateKey, publicKey } = generateKeyPair();
    await set.send({}, {}, { current: 'text that is no base64!', old: [], privateKey });
    const { headers, body } = set.receiver.requests[0]!;
    expect(headers['webhook-signature']).toMatch(/^v1a,[^ ]+$/);
    const nowSeconds = Number(headers['webhook-timestamp']);
    expect(
      standardScheme.verify({ body, headers, nowSeconds, secrets: [], publicKeys: [publicKey] }),
    ).toMatchObject({ valid: true });
  });

  it('marks tests, sends the endpoint’s own headers and hides the secret ones in the log', async () => {
    await using set = await setUp();
    const { attempt } = await set.send(
      {
        legacySignature: false,
        headers: [
          { name: 'X-Plant', value: 'north', secret: false },
          { name: 'Authorization', value: 'Bearer hidden', secret: true },
        ],
      },
      { event: makeEvent(systemClock, { test: true, hops: 2 }) },
    );
    const { headers } = set.receiver.requests[0]!;
    expect(headers).toMatchObject({
      'x-hookline-test': 'true',
      'x-hookline-hops': '2',
      'x-plant': 'north',
      authorization: 'Bearer hidden',
    });
    expect(headers['x-mes-signature']).toBeUndefined();
    expect(attempt.requestHeaders).not.toContain('hidden');
  });

  it('makes a header-safe id that stays the same', async () => {
    await using set = await setUp();
    await set.send({}, { event: makeEvent(systemClock, { id: 'a.b ü' }) });
    await set.send({}, { event: makeEvent(systemClock, { id: 'a.b ü' }) });
    const ids = set.receiver.requests.map(({ headers }) => headers['webhook-id']);
    expect(ids[0]).toMatch(/^[A-Za-z0-9_-]+_[0-9a-f]{16}$/);
    expect(ids[1]).toBe(ids[0]);
  });

  it('sends the data that the endpoint’s template makes, signed, and keeps what was sent', async () => {
    await using set = await setUp();
    const { attempt } = await set.send({ payload: '{"from": data}' });
    const [request] = set.receiver.requests;
    const body = request!.body.toString();
    expect(new Webhook(CURRENT).verify(body, request!.headers)).toMatchObject({
      id: 'evt-123',
      data: { from: { workOrder: { id: 'wo-123' } } },
    });
    expect(attempt.requestBody).toBe(body);
  });

  it('sends nothing where the template fails, so that somebody mends it first', async () => {
    await using set = await setUp();
    await expect(set.send({ payload: 'fails' })).rejects.toThrow('payload_failed');
    expect(set.receiver.requests).toEqual([]);
  });

  it('judges every answer', async () => {
    const answers: [Answer, object][] = [
      [{ status: 204 }, { outcome: 'SUCCESS' }],
      [
        { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
        { outcome: 'REDIRECT', statusCode: 302 },
      ],
      [{ status: 401 }, { outcome: 'AUTH', statusCode: 401 }],
      [
        { status: 500, body: 'x'.repeat(500) },
        { outcome: 'HTTP_STATUS', statusCode: 500, responseBody: 'x'.repeat(100) },
      ],
      [{ fault: 'reset' }, { outcome: 'UNKNOWN', statusCode: null }],
    ];
    await using set = await setUp(...answers.map(([answer]) => answer));
    for (const [, expected] of answers) expect((await set.send()).attempt).toMatchObject(expected);
  });

  it('asks for exactly 200 where the endpoint does', async () => {
    await using set = await setUp({ status: 202 }, { status: 200 });
    const exactly = { successStatus: 'EXACTLY_200' } as const;
    expect((await set.send(exactly)).attempt).toMatchObject({
      outcome: 'HTTP_STATUS',
      error: { code: 'NOT_200' },
    });
    expect((await set.send(exactly)).attempt.outcome).toBe('SUCCESS');
  });

  it('calls it UNKNOWN when the request went out and no answer came in time', async () => {
    await using set = await setUp({ fault: 'never' });
    const { attempt } = await set.send({ timeoutSeconds: 0.1 });
    expect(attempt).toMatchObject({
      outcome: 'UNKNOWN',
      statusCode: null,
      error: { code: 'ANSWER_TIMEOUT' },
    });
  });

  it('passes on how long the receiver asks to wait', async () => {
    await using set = await setUp({ status: 503, headers: { 'retry-after': '7' } });
    expect((await set.send()).retryAfterMs).toBe(7_000);
  });
});
