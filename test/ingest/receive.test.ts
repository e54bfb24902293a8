import { createHmac } from 'node:crypto';
import { createServer, request as httpRequest, type ClientRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { HooklineError } from '../../gateway/errors.ts';
import { createReceiver, type ReceiveResult } from '../../gateway/ingest/receive.ts';
import { prepareSourceVerifier } from '../../gateway/ingest/source-verifier.ts';
import type { Source } from '../../gateway/services.ts';
import type { AppendResult, NewEvent } from '../../gateway/store/store.ts';
import { createManualClock } from '../support/manual-clock.ts';

const SECRET = 'a-secret-of-the-mes';
const SAMPLE =
  '{"id":"evt-123","type":"work_order.created","timestamp":"2024-01-15T10:30:00Z","data":{"workOrder":{"id":"wo-123"}}}';

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** The inbound route behind a real socket; the store is in the test's hand. */
async function startReceiver(
  options: {
    append?: (event: NewEvent) => Promise<AppendResult>;
    maxHeldBytes?: number;
    appendTimeoutMs?: number;
  } = {},
) {
  const clock = createManualClock();
  const appended: NewEvent[] = [];
  const results: (ReceiveResult | null)[] = [];
  const refused: string[] = [];
  const accept = (event: NewEvent): Promise<AppendResult> =>
    Promise.resolve({ kind: 'accepted', id: event.event.id, cursor: 'e.1', deliveryIds: [] });
  const source: Source = {
    id: 'src_mes',
    name: 'mes',
    dialect: 'machshop',
    active: true,
    signature: {
      header: 'x-mes-signature',
      prefix: '',
      encoding: 'hex',
      digest: 'sha256',
      template: '{body}',
    },
    lenientJson: false,
    createdAt: 0,
  };
  const receive = createReceiver({
    store: {
      append: (events: readonly NewEvent[]) => {
        appended.push(...events);
        return Promise.all(events.map(options.append ?? accept));
      },
    } as never,
    sources: {
      sourceRuntime: (name) =>
        name === 'mes' ? { source, verify: prepareSourceVerifier(source, SECRET, () => clock.now()) } : null,
    },
    subscriptions: { owe: () => [] },
    rejections: { note: (source, reason) => void refused.push(`${source}: ${reason}`) },
    clock,
    maxBodyBytes: 1024,
    log: { warn: () => {} },
    ...options,
  });
  const server = createServer((request, response) => {
    void receive(request, response, request.url!.split('/').at(-1)!).then((result) => results.push(result));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    clock,
    appended,
    results,
    refused,
    post(
      body: string | Buffer,
      headers: Record<string, string> = {},
      path = '/webhooks/mes',
    ): Promise<Answer> {
      return new Promise((resolve, reject) => {
        const request = httpRequest(
          { host: '127.0.0.1', port, path, method: 'POST', headers },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () =>
              resolve({
                status: response.statusCode!,
                headers: response.headers,
                body: Buffer.concat(chunks).toString(),
              }),
            );
          },
        );
        request.on('error', reject);
        request.end(body);
      });
    },
    /** A request whose body the test writes as it likes. */
    open(headers: Record<string, string>): ClientRequest {
      const request = httpRequest({
        host: '127.0.0.1',
        port,
        path: '/webhooks/mes',
        method: 'POST',
        headers,
      });
      request.on('error', () => {});
      return request;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function sign(body: string | Buffer): Record<string, string> {
  return { 'x-mes-signature': createHmac('sha256', SECRET).update(body).digest('hex') };
}

describe('the inbound receiver', () => {
  it('answers exactly 200 {"ok":true}, and only once the event is durable', async () => {
    let makeDurable = (): void => {};
    const durable = new Promise<void>((resolve) => (makeDurable = resolve));
    const reached = Promise.withResolvers<void>();
    await using receiver = await startReceiver({
      append: async ({ event }) => {
        reached.resolve();
        await durable;
        return { kind: 'accepted', id: event.id, cursor: 'e.1', deliveryIds: [] };
      },
    });
    let answered = false;
    const answer = receiver.post(SAMPLE, sign(SAMPLE)).then((got) => {
      answered = true;
      return got;
    });
    await reached.promise;
    expect(answered).toBe(false);
    makeDurable();
    expect(await answer).toMatchObject({ status: 200, body: '{"ok":true}' });
    expect(receiver.appended[0]?.event).toMatchObject({
      id: 'evt-123',
      type: 'work_order.created',
      source: 'mes',
      body: SAMPLE,
      raw: null,
    });
  });

  it('checks the signature over the bytes as they came', async () => {
    await using receiver = await startReceiver();
    const spaced = SAMPLE.replace(',"data"', ', "data"');
    expect((await receiver.post(spaced, sign(spaced))).status).toBe(200);
    expect(Buffer.from(receiver.appended[0]!.event.raw!).toString()).toBe(spaced);
    expect(receiver.appended[0]!.event.body).toBe(SAMPLE);
    expect((await receiver.post(spaced, sign(SAMPLE))).status).toBe(401);
  });

  it('answers a wrong or missing signature as the vendor’s page does, and keeps nothing', async () => {
    await using receiver = await startReceiver();
    const wrong = await receiver.post(SAMPLE, { 'x-mes-signature': 'f'.repeat(64) });
    expect(wrong).toMatchObject({ status: 401, body: '{"error":"Invalid signature"}' });
    expect((await receiver.post(SAMPLE)).status).toBe(401);
    expect(receiver.appended).toEqual([]);
    expect(receiver.results).toEqual(['bad_signature', 'bad_signature']);
    expect(receiver.refused).toHaveLength(2);
    expect(receiver.refused.join()).not.toContain('ffff');
  });

  it('refuses in the promised order: too large, bad signature, encoding, not an object', async () => {
    await using receiver = await startReceiver();
    const large = 'x'.repeat(2000);
    expect((await receiver.post(large)).status).toBe(413);
    expect((await receiver.post('[1]')).status).toBe(401);
    expect((await receiver.post('[1]', { ...sign('[1]'), 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await receiver.post('[1]', sign('[1]'))).status).toBe(400);
    expect((await receiver.post('not json', sign('not json'))).status).toBe(400);
  });

  it('stops reading a body that turns out larger than it may be', async () => {
    await using receiver = await startReceiver();
    const answer = await receiver.post(Buffer.alloc(5000, 'a'), { 'transfer-encoding': 'chunked' });
    expect(answer.status).toBe(413);
  });

  it('does not care for the content type, and accepts types it does not know', async () => {
    await using receiver = await startReceiver();
    const body = '{"event":"api.deprecation","timestamp":"2024-01-15T10:30:00Z","data":{}}';
    expect((await receiver.post(body, { ...sign(body), 'content-type': 'text/plain' })).status).toBe(200);
    expect(receiver.appended[0]!.event.type).toBe('api.deprecation');
    expect(receiver.appended[0]!.event.id).toMatch(/^evt_[0-9a-f]{32}$/);
    expect(receiver.appended[0]!.duplicateWindowMs).toBeUndefined();
  });

  it('derives an id from the bytes, remembered for a minute where there is no time either', async () => {
    await using receiver = await startReceiver();
    const body = '{"type":"work_order.created","data":{}}';
    await receiver.post(body, sign(body));
    await receiver.post(body, sign(body));
    const [first, second] = receiver.appended;
    expect(first!.event.id).toBe(second!.event.id);
    expect(first!.duplicateWindowMs).toBe(60_000);
    expect(first!.event.occurredAt).toBe(receiver.clock.now());
  });

  it('tells ids and types apart that look like ours', async () => {
    await using receiver = await startReceiver();
    const body =
      '{"id":"dlv_1","type":"hookline.endpoint.disabled","timestamp":"2024-01-15T10:30:00Z","data":{}}';
    await receiver.post(body, sign(body));
    expect(receiver.appended[0]!.event).toMatchObject({
      id: 'mes:dlv_1',
      type: 'external.hookline.endpoint.disabled',
    });
  });

  it('refuses what went round too often', async () => {
    await using receiver = await startReceiver();
    expect((await receiver.post(SAMPLE, { ...sign(SAMPLE), 'x-hookline-hops': '4' })).status).toBe(200);
    expect((await receiver.post(SAMPLE, { ...sign(SAMPLE), 'x-hookline-hops': '5' })).status).toBe(400);
  });

  it('answers 503 with Retry-After when the store cannot take it, and when it takes too long', async () => {
    const full = new HooklineError('STORE_UNAVAILABLE', 'full');
    await using overloaded = await startReceiver({ append: () => Promise.reject(full) });
    const answer = await overloaded.post(SAMPLE, sign(SAMPLE));
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    expect(overloaded.results).toEqual(['overloaded']);
    await using slow = await startReceiver({ append: () => new Promise(() => {}), appendTimeoutMs: 20 });
    expect((await slow.post(SAMPLE, sign(SAMPLE))).status).toBe(503);
  });

  it('takes no more bodies than it can hold, and takes them again once it has room', async () => {
    const waiting: (() => void)[] = [];
    await using receiver = await startReceiver({
      maxHeldBytes: SAMPLE.length * 2,
      append: ({ event }) =>
        new Promise((resolve) =>
          waiting.push(() => resolve({ kind: 'accepted', id: event.id, cursor: 'e.1', deliveryIds: [] })),
        ),
    });
    const first = [receiver.post(SAMPLE, sign(SAMPLE)), receiver.post(SAMPLE, sign(SAMPLE))];
    await vi.waitUntil(() => waiting.length === 2);
    expect((await receiver.post(SAMPLE, sign(SAMPLE))).status).toBe(503);
    for (const accept of waiting.splice(0)) accept();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
    const later = receiver.post(SAMPLE, sign(SAMPLE));
    await vi.waitUntil(() => waiting.length === 1);
    waiting[0]!();
    expect((await later).status).toBe(200);
  });

  it('counts what is still being read, so that slow senders cannot fill its memory', async () => {
    await using receiver = await startReceiver({ maxHeldBytes: 1000 });
    const slow = receiver.open({ 'content-length': '901' });
    slow.write('x'.repeat(900));
    await expect.poll(async () => (await receiver.post('x'.repeat(200))).status).toBe(503);
    slow.destroy();
    await expect.poll(async () => (await receiver.post('x'.repeat(200))).status).toBe(401);
  });

  it('knows no source that does not exist', async () => {
    await using receiver = await startReceiver();
    expect((await receiver.post(SAMPLE, sign(SAMPLE), '/webhooks/nobody')).status).toBe(404);
  });
});
