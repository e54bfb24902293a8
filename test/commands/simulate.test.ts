import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { NOW, runInProcess } from './support/run-in-process.ts';
import { startScriptedGateway } from './support/scripted-gateway.ts';
import type { ScriptedGateway } from './support/scripted-gateway.ts';

const MES_SECRET = 'the secret of the MES';
const METRICS_SECRET = 'the secret of the monitoring';
const SECRETS = { WEBHOOK_SECRET: MES_SECRET, HOOKLINE_SOURCE_MACHINEMETRICS_SECRET: METRICS_SECRET };
const FAST = ['--speed', '1000000', '--seed', '7'];

let gateway: ScriptedGateway;
beforeEach(async () => {
  gateway = await startScriptedGateway();
  gateway.answer = { status: 200, body: { ok: true } };
});
afterEach(() => gateway[Symbol.asyncDispose]());

const simulate = (args: string[], env: Record<string, string> = SECRETS) =>
  runInProcess(['simulate', ...FAST, ...args], { ...gateway.env, ...env });

const hmac = (secret: string, body: unknown): string =>
  createHmac('sha256', secret).update(JSON.stringify(body)).digest('hex');

describe('hookline simulate', () => {
  it('sends as many events as asked for, to the sources they belong to, each with its signature', async () => {
    const { code, stdout, stderr } = await simulate(['--count', '60']);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(60);
    expect(stderr).toBe('Played seed 7: 60 events, 60 accepted.\n');
    expect(gateway.seen).toHaveLength(60);
    expect(new Set(gateway.seen.map(({ path }) => path))).toEqual(
      new Set(['/webhooks/mes', '/webhooks/machinemetrics']),
    );
    for (const { path, headers, body } of gateway.seen) {
      const isMes = path === '/webhooks/mes';
      const signature = headers[isMes ? 'x-mes-signature' : 'x-machinemetrics-signature'];
      expect(signature).toBe(hmac(isMes ? MES_SECRET : METRICS_SECRET, body));
    }
  });

  it('plays times that lie in the past, the last one just now', async () => {
    await simulate(['--count', '40']);
    const times = gateway.seen.map(({ body }) => Date.parse(body['timestamp'] as string));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)).toBeLessThanOrEqual(NOW);
    expect(times.at(-1)).toBeGreaterThan(NOW - 60_000);
  });

  it('plays the same floor again with the same seed', async () => {
    await simulate(['--count', '20']);
    const first = gateway.seen.splice(0);
    await simulate(['--count', '20']);
    expect(gateway.seen.map(({ body }) => body)).toEqual(first.map(({ body }) => body));
  });

  it('prints one JSON object a line when asked', async () => {
    const { stdout } = await simulate(['--count', '3', '--json']);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatchObject({
      source: expect.any(String),
      type: expect.any(String),
      status: 200,
      attempts: 1,
    });
  });

  it('takes the secrets that the data directory keeps', async () => {
    const kept = { mes: 'kept for the MES 16', machinemetrics: 'kept for the monitoring' };
    writeFileSync(join(gateway.dataDir, 'source-secrets.json'), JSON.stringify(kept));
    expect((await simulate(['--count', '5'], {})).code).toBe(0);
    const { headers, body } = gateway.seen.find(({ path }) => path === '/webhooks/mes')!;
    expect(headers['x-mes-signature']).toBe(hmac(kept.mes, body));
  });

  it('prefers the secrets that are given to it', async () => {
    await simulate(['--count', '5', '--secret', 'mes=given on the command line']);
    const { headers, body } = gateway.seen.find(({ path }) => path === '/webhooks/mes')!;
    expect(headers['x-mes-signature']).toBe(hmac('given on the command line', body));
  });

  it('goes on after an event that was not accepted, and says how many were', async () => {
    gateway.answer = () => ({ status: gateway.seen.length === 2 ? 503 : 200, body: {} });
    const { code, stderr } = await simulate(['--count', '5']);
    expect(code).toBe(1);
    expect(stderr).toContain('5 events, 4 accepted');
  });

  it('stops at once where the signature is refused, and says what to give', async () => {
    gateway.answer = { status: 401, body: { error: 'Invalid signature' } };
    const { code, stderr } = await simulate(['--count', '5']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/refuses the signature of the source \w+: .* --secret \w+=SECRET/);
    expect(gateway.seen).toHaveLength(1);
  });

  it('stops at once where nobody answers', async () => {
    await gateway[Symbol.asyncDispose]();
    const { code, stderr } = await simulate(['--count', '5', '--url', gateway.url]);
    expect([code, stderr]).toEqual([
      1,
      `hookline simulate: No gateway answers at ${gateway.url}; is it running?\n`,
    ]);
  });

  it('says which secret it lacks', async () => {
    const { code, stderr } = await simulate([], { WEBHOOK_SECRET: MES_SECRET });
    expect(code).toBe(1);
    expect(stderr).toContain('HOOKLINE_SOURCE_MACHINEMETRICS_SECRET');
  });

  it.each([
    [['--speed', '0'], '--speed must be a number from 0.1 to 1000000'],
    [['--count', '1.5'], '--count must be a whole number'],
    [['--machines', '0'], '--machines must be a whole number from 1 to 100'],
    [['--seed', 'x'], '--seed must be a whole number'],
    [['--url', '127.0.0.1:4000'], '--url must be an http or https URL'],
    [['--secret', 'hunter2'], '--secret must be NAME=SECRET'],
  ])('refuses %j with one sentence', async (args, message) => {
    const { code, stderr } = await simulate(args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('hunter2');
    expect(gateway.seen).toEqual([]);
  });
});

describe('hookline simulate --sender', () => {
  it('sends the same bytes again until they are accepted', async () => {
    gateway.answer = () => ({ status: gateway.seen.length <= 2 ? 503 : 200, body: {} });
    const { code, stdout } = await simulate(['--sender', '--count', '1', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 200, attempts: 3 });
    expect(gateway.seen).toHaveLength(3);
    expect(new Set(gateway.seen.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  });

  it('gives up after twelve attempts, as the vendor does', async () => {
    gateway.answer = { status: 500, body: {} };
    const { code, stdout } = await simulate(['--sender', '--count', '1', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ status: 500, attempts: 12 });
  });

  it('lets what has to be sent again not hold up the rest', async () => {
    const [first, ...others] = await arrivals();
    expect(others.filter(({ attempt }) => attempt === 1).length).toBe(9);
    expect(first?.attempt).toBe(1);
  });

  /** Ten events of which the first one is refused once: what arrives, in order. */
  async function arrivals(): Promise<{ attempt: number }[]> {
    const counts = new Map<string, number>();
    const order: { attempt: number }[] = [];
    gateway.answer = ({ body }) => {
      const text = JSON.stringify(body);
      const attempt = (counts.get(text) ?? 0) + 1;
      counts.set(text, attempt);
      order.push({ attempt });
      return { status: order.length === 1 ? 503 : 200, body: {} };
    };
    expect((await simulate(['--sender', '--count', '10'])).code).toBe(0);
    return order;
  }
});
