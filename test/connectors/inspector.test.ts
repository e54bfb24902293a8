import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { createInspector, MAX_INSPECTED_BYTES } from '../../gateway/connectors/inspector.ts';
import type { InspectedEndpoint, Inspector } from '../../gateway/connectors/inspector.ts';
import { mesScheme } from '../../gateway/signing/mes.ts';
import { generateKeyPair, generateSecret } from '../../gateway/signing/secret.ts';
import { standardScheme } from '../../gateway/signing/standard.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createMemoryRecords } from '../support/memory-records.ts';

const BODY = '{"id":"evt-1","type":"work_order.created"}';

function setUp() {
  const clock = createManualClock();
  const records = createMemoryRecords(clock);
  const delivering = new Map<string, InspectedEndpoint[]>();
  const start = (): Promise<Inspector> =>
    createInspector({
      records,
      clock,
      random: randomBytes,
      baseUrl: () => 'http://127.0.0.1:4000',
      deliveringTo: (binId) => delivering.get(binId) ?? [],
    });
  const post = (inspector: Inspector, binId: string, body: string | Uint8Array = BODY, headers = {}) =>
    inspector.receive(binId, { method: 'POST', headers, body });
  return { clock, records, delivering, start, post };
}

it('makes bins that nobody can guess and that are there until they give way', async () => {
  const { start, clock } = setUp();
  using inspector = await start();
  const bin = await inspector.createBin();
  expect(bin).toEqual({
    id: expect.stringMatching(/^bin_[\w-]{24}$/) as unknown,
    url: `http://127.0.0.1:4000/inspect/${bin.id}`,
    createdAt: clock.now(),
  });
  expect(inspector.bins()).toEqual([bin]);
  expect(inspector.hasBin(bin.id)).toBe(true);
  expect(inspector.hasBin('bin_other')).toBe(false);
});

it('keeps a request as it came, and shows the newest first', async () => {
  const { start, clock, post } = setUp();
  using inspector = await start();
  const { id } = await inspector.createBin();
  const answer = await post(inspector, id, BODY, {
    'content-type': 'application/json',
    'x-twice': ['a', 'b'],
  });
  expect(answer).toEqual({
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: '{"ok":true}',
  });
  const firstAt = clock.now();
  clock.advance(10);
  await post(inspector, id, 'second');
  expect(inspector.requests(id)).toEqual([
    expect.objectContaining({ body: 'second', at: clock.now() }),
    {
      id: expect.stringMatching(/^req_/) as unknown,
      binId: id,
      at: firstAt,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-twice': 'a, b' },
      body: BODY,
      signature: null,
    },
  ]);
  expect(inspector.requests('bin_other')).toEqual([]);
});

it('takes what endpoints deliver to it inside the process', async () => {
  const { start } = setUp();
  using inspector = await start();
  const { id } = await inspector.createBin();
  const request = {
    url: `inspector:${id}`,
    headers: { 'webhook-id': 'evt-1' },
    body: BODY,
    timeoutMs: 5000,
    maxResponseBytes: 1024,
  };
  expect(await inspector.target(id, request)).toMatchObject({ statusCode: 200 });
  expect(inspector.requests(id)).toMatchObject([
    { method: 'POST', headers: { 'webhook-id': 'evt-1' }, body: BODY },
  ]);
});

it('hides credentials and the headers that an endpoint calls secret', async () => {
  const { start, delivering, post, records } = setUp();
  using inspector = await start();
  const { id } = await inspector.createBin();
  delivering.set(id, [{ id: 'ep_1', secrets: [generateSecret()], secretHeaders: ['x-api-key'] }]);
  await post(inspector, id, BODY, {
    authorization: 'Bearer shh',
    cookie: 'a=shh',
    'x-api-key': 'shh',
    'x-site': 'plant-7',
  });
  expect(inspector.requests(id)[0]!.headers).toEqual({
    authorization: '(hidden)',
    cookie: '(hidden)',
    'x-api-key': '(hidden)',
    'x-site': 'plant-7',
  });
  expect(JSON.stringify(await records.list('inspected'))).not.toContain('shh');
});

it('refuses an unknown bin, a body over 1 MiB and more than 50 requests a second', async () => {
  const { start, clock, post } = setUp();
  using inspector = await start();
  const { id } = await inspector.createBin();
  const { id: other } = await inspector.createBin();
  expect(await post(inspector, 'bin_other')).toMatchObject({ statusCode: 404 });
  expect(await post(inspector, id, new Uint8Array(MAX_INSPECTED_BYTES + 1))).toMatchObject({
    statusCode: 413,
  });
  for (let count = 0; count < 50; count += 1)
    expect(await post(inspector, id)).toMatchObject({ statusCode: 200 });
  expect(await post(inspector, id)).toMatchObject({ statusCode: 429, headers: { 'retry-after': '1' } });
  expect(await post(inspector, other)).toMatchObject({ statusCode: 200 });
  clock.advance(20);
  expect(await post(inspector, id)).toMatchObject({ statusCode: 200 });
  expect(await post(inspector, id)).toMatchObject({ statusCode: 429 });
  expect(inspector.requests(id)).toHaveLength(51);
  clock.advance(60_000);
  for (let count = 0; count < 50; count += 1) await post(inspector, id);
  expect(await post(inspector, id)).toMatchObject({ statusCode: 429 });
});

it('keeps the last 200 requests and the first 64 KiB of each', async () => {
  const { start, clock, post, records } = setUp();
  using inspector = await start();
  const { id } = await inspector.createBin();
  await post(inspector, id, 'x'.repeat(70_000));
  expect(inspector.requests(id)[0]!.body).toHaveLength(65_536);
  for (let count = 0; count < 210; count += 1) {
    clock.advance(20);
    await post(inspector, id, String(count));
  }
  const bodies = inspector.requests(id).map(({ body }) => body);
  expect(bodies).toEqual(Array.from({ length: 200 }, (_, index) => String(209 - index)));
  expect(await records.list('inspected')).toHaveLength(200);
});

it('keeps fewer requests where they are large', async () => {
  const { start, clock, post, records } = setUp();
  using inspector = await start();
  const { id } = await inspector.createBin();
  for (let count = 0; count < 70; count += 1) {
    clock.advance(20);
    await post(inspector, id, 'x'.repeat(65_536));
  }
  expect(inspector.requests(id)).toHaveLength(64);
  expect(await records.list('inspected')).toHaveLength(64);
});

it('lets the oldest bin without an endpoint give way to the hundred and first', async () => {
  const { start, delivering, post, records } = setUp();
  using inspector = await start();
  const bins = [];
  for (let count = 0; count < 100; count += 1) bins.push(await inspector.createBin());
  delivering.set(bins[0]!.id, [{ id: 'ep_1', secrets: [], secretHeaders: [] }]);
  await post(inspector, bins[1]!.id);
  await inspector.createBin();
  expect(inspector.bins()).toHaveLength(100);
  expect(inspector.hasBin(bins[0]!.id)).toBe(true);
  expect(inspector.hasBin(bins[1]!.id)).toBe(false);
  expect(await records.list('inspected')).toEqual([]);
  for (const { id } of inspector.bins()) delivering.set(id, [{ id: 'ep_1', secrets: [], secretHeaders: [] }]);
  await expect(inspector.createBin()).rejects.toMatchObject({ code: 'CONFLICT' });
});

it('shows after a restart, and in other processes, what it showed before', async () => {
  const { start, clock, post } = setUp();
  const before = await start();
  using elsewhere = await start();
  const { id } = await before.createBin();
  await post(before, id, 'first');
  clock.advance(10);
  await post(before, id, 'second');
  const shown = before.requests(id);
  await vi.waitFor(() => expect(elsewhere.requests(id)).toEqual(shown));
  before[Symbol.dispose]();
  using after = await start();
  expect(after.bins()).toEqual(elsewhere.bins());
  expect(after.requests(id)).toEqual(shown);
});

describe('the signature check', () => {
  const current = generateSecret();
  const old = generateSecret();

  async function inspect(
    headers: (seconds: number) => Record<string, string>,
    secrets = [current, old],
    body = BODY,
    publicKey?: string,
  ) {
    const { start, clock, delivering, post } = setUp();
    using inspector = await start();
    const { id } = await inspector.createBin();
    const keys = publicKey === undefined ? { secrets } : { secrets, publicKey };
    delivering.set(id, [{ id: 'ep_1', ...keys, secretHeaders: [] }]);
    await post(inspector, id, body, headers(Math.floor(clock.now() / 1000)));
    return inspector.requests(id)[0]!.signature!;
  }
  const mes = (secret: string) => mesScheme.sign({ secrets: [secret], body: BODY });
  const standard = (secret: string, timestamp: number, ...others: string[]) =>
    standardScheme.sign({ secrets: [secret, ...others], body: BODY, id: 'evt-1', timestamp });

  it('finds both of ours right, the old secret of a rotation included', async () => {
    expect(await inspect((seconds) => ({ ...mes(old), ...standard(current, seconds) }))).toEqual({
      valid: true,
      schemes: ['mes', 'standard'],
      message:
        'x-mes-signature is right, made with an older secret, still valid, of ep_1. webhook-signature is right, made with the secret of ep_1.',
    });
  });

  it('says what is wrong with each', async () => {
    expect(
      await inspect((seconds) => ({ ...mes(generateSecret()), ...standard(current, seconds) })),
    ).toMatchObject({
      valid: false,
      schemes: ['standard'],
      message: expect.stringMatching(/x-mes-signature does not match.*webhook-signature is right/) as unknown,
    });
    expect(await inspect((seconds) => standard(current, seconds - 301))).toMatchObject({
      valid: false,
      schemes: [],
      message: expect.stringMatching(/301 s ago/) as unknown,
    });
    expect(await inspect(() => mes(current), [current], `${BODY} `)).toMatchObject({ valid: false });
    expect(await inspect(() => ({ 'x-mes-signature': 'abc' }))).toMatchObject({
      valid: false,
      message: expect.stringMatching(/64 lower-case hex/) as unknown,
    });
  });

  it('says where nothing is signed, and where a secret cannot make such a signature', async () => {
    expect(await inspect(() => ({}))).toMatchObject({
      valid: false,
      message: expect.stringMatching(/not signed/) as unknown,
    });
    expect(await inspect((seconds) => standard(current, seconds), ['text that is no base64!'])).toMatchObject(
      {
        valid: false,
        message: expect.stringMatching(/whsec_ and base64/) as unknown,
      },
    );
  });

  it('checks a v1a signature by the public key, beside the v1 signatures', async () => {
    const { privateKey, publicKey } = generateKeyPair();
    const both = (seconds: number) => standard(current, seconds, privateKey);
    expect(await inspect(both, [current], BODY, publicKey)).toEqual({
      valid: true,
      schemes: ['standard'],
      message:
        'webhook-signature is right, made with the secret of ep_1. The v1a signature in webhook-signature is right, made with the ed25519 key of ep_1.',
    });
    const alone = await inspect((seconds) => standard(privateKey, seconds), [current], BODY, publicKey);
    expect(alone).toEqual({
      valid: true,
      schemes: ['standard'],
      message: 'The v1a signature in webhook-signature is right, made with the ed25519 key of ep_1.',
    });
  });

  it('finds one wrong signature of several, of whichever version', async () => {
    const { privateKey, publicKey } = generateKeyPair();
    const wrong = { valid: false, schemes: ['mes'] };
    const otherKey = generateKeyPair().privateKey;
    expect(
      await inspect(
        (seconds) => ({ ...mes(current), ...standard(current, seconds, otherKey) }),
        [current],
        BODY,
        publicKey,
      ),
    ).toEqual({
      ...wrong,
      message: expect.stringMatching(
        /right.*right.*v1a signature in .* does not match.*public key/,
      ) as unknown,
    });
    expect(
      await inspect(
        (seconds) => ({ ...mes(current), ...standard(generateSecret(), seconds, privateKey) }),
        [current],
        BODY,
        publicKey,
      ),
    ).toEqual({
      ...wrong,
      message: expect.stringMatching(
        /webhook-signature does not match.*v1a signature .* is right/,
      ) as unknown,
    });
    expect(
      await inspect((seconds) => ({ ...mes(current), ...standard(current, seconds, privateKey) })),
    ).toEqual({
      ...wrong,
      message: expect.stringMatching(/v1a signature .* cannot be made .* switch ed25519 on/) as unknown,
    });
  });

  it('says once what is wrong for both versions', async () => {
    const { privateKey, publicKey } = generateKeyPair();
    const { message } = await inspect(
      (seconds) => standard(current, seconds - 301, privateKey),
      [current],
      BODY,
      publicKey,
    );
    expect(message.match(/301 s ago/g)).toHaveLength(1);
  });

  it('covers the whole body, also what is not kept of it', async () => {
    const large = 'y'.repeat(100_000);
    const headers = mesScheme.sign({ secrets: [current], body: large });
    expect(await inspect(() => headers, [current], large)).toMatchObject({ valid: true, schemes: ['mes'] });
  });
});
