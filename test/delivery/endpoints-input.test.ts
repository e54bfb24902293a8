import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkEndpointInput } from '../../gateway/delivery/endpoint-input.ts';
import { HooklineError } from '../../gateway/errors.ts';
import type { EndpointInput } from '../../gateway/services.ts';
import { createEndpointWorld } from '../support/endpoint-registry.ts';

const check = (input: unknown) => checkEndpointInput(input as EndpointInput, () => null);

function faultOf(input: unknown): HooklineError {
  try {
    check(input);
  } catch (error) {
    if (error instanceof HooklineError) return error;
    throw error;
  }
  throw new Error(`nothing was found wrong with ${JSON.stringify(input)}`);
}

describe('what an endpoint may be given', () => {
  it('is taken as it is where it is in range', () => {
    const good: EndpointInput = {
      url: 'https://hooks.example',
      events: ['*', 'work_order.*', 'quality.ncr_created'],
      description: 'x'.repeat(500),
      active: false,
      paused: true,
      machines: ['m1'],
      machineGroups: [],
      delaySeconds: 86_400,
      retrySchedule: ['0s', '250ms', '30d'],
      timeoutSeconds: 0.1,
      maxConcurrency: 256,
      successStatus: 'EXACTLY_200',
      legacySignature: false,
      ed25519: true,
      filter: '€'.repeat(1365),
      payload: '{ "id": data.id }',
      orderBy: 'data.workOrder.id',
      onFailed: 'SKIP',
      newestOnly: true,
      rateLimitPerSecond: 0.01,
      timeToLiveSeconds: 1,
    };
    expect(check(good)).toEqual(good);
    expect(check({ rateLimitPerSecond: 10_000, timeToLiveSeconds: 2_592_000 })).toBeDefined();
    expect(check({ ...good, timeoutSeconds: 60, delaySeconds: 0, maxConcurrency: 1 })).toBeDefined();
  });

  it('is left alone where nothing is given, or null', () => {
    expect(check({})).toEqual({});
    expect(check({ description: null, timeoutSeconds: null, url: undefined })).toEqual({});
  });

  it('is nothing where null says so, or an empty expression', () => {
    const nothing = {
      retrySchedule: null,
      filter: null,
      payload: null,
      orderBy: null,
      rateLimitPerSecond: null,
      timeToLiveSeconds: null,
    };
    expect(check(nothing)).toEqual(nothing);
    expect(check({ filter: '', payload: ' \n', orderBy: '\t' })).toEqual({
      filter: null,
      payload: null,
      orderBy: null,
    });
  });

  it('is named with what is accepted where it is not', () => {
    const wrong: [Record<string, unknown>, string, RegExp][] = [
      [{ url: 7 }, 'url', /text/],
      [{ url: '' }, 'url', /1 to 2048/],
      [{ description: 'x'.repeat(501) }, 'description', /500/],
      [{ events: 'work_order.created' }, 'events', /list/],
      [{ events: ['ok', 7] }, 'events.1', /text/],
      [{ events: ['work_order*'] }, 'events.0', /"work_order\*"/],
      [{ active: 'true' }, 'active', /true or false/],
      [{ paused: 1 }, 'paused', /true or false/],
      [{ machines: [''] }, 'machines', /1 to 200/],
      [{ machineGroups: ['x', 4] }, 'machineGroups', /group/],
      [{ delaySeconds: -1 }, 'delaySeconds', /0 to 86400/],
      [{ delaySeconds: 86_401 }, 'delaySeconds', /0 to 86400/],
      [{ delaySeconds: Number.NaN }, 'delaySeconds', /0 to 86400/],
      [{ timeoutSeconds: 0.05 }, 'timeoutSeconds', /0\.1 to 60/],
      [{ timeoutSeconds: 61 }, 'timeoutSeconds', /0\.1 to 60/],
      [{ maxConcurrency: 0 }, 'maxConcurrency', /1 to 256/],
      [{ maxConcurrency: 1.5 }, 'maxConcurrency', /whole number/],
      [{ maxConcurrency: 257 }, 'maxConcurrency', /1 to 256/],
      [{ retrySchedule: [] }, 'retrySchedule', /1 to 50/],
      [{ retrySchedule: Array(51).fill('5s') }, 'retrySchedule', /1 to 50/],
      [{ retrySchedule: ['0s', '5'] }, 'retrySchedule.1', /ms, s, m, h or d/],
      [{ retrySchedule: ['31d'] }, 'retrySchedule.0', /at most 30d/],
      [{ successStatus: 'ANY' }, 'successStatus', /EXACTLY_200/],
      [{ legacySignature: 'no' }, 'legacySignature', /true or false/],
      [{ ed25519: 'yes' }, 'ed25519', /true or false/],
      [{ filter: 7 }, 'filter', /The filter .* 4096 bytes/],
      [{ filter: `${'€'.repeat(1365)}xy` }, 'filter', /The filter .* 4096 bytes/],
      [{ payload: {} }, 'payload', /The payload .* 4096 bytes/],
      [{ orderBy: ['data.id'] }, 'orderBy', /The order key .* 4096 bytes/],
      [{ onFailed: 'STOP' }, 'onFailed', /WAIT or SKIP/],
      [{ newestOnly: 1 }, 'newestOnly', /true or false/],
      [{ rateLimitPerSecond: 0 }, 'rateLimitPerSecond', /deliveries per second from 0\.01 to 10000/],
      [{ rateLimitPerSecond: 10_001 }, 'rateLimitPerSecond', /0\.01 to 10000/],
      [{ timeToLiveSeconds: 0.5 }, 'timeToLiveSeconds', /seconds from 1 to 2592000/],
      [{ timeToLiveSeconds: 2_592_001 }, 'timeToLiveSeconds', /1 to 2592000/],
    ];
    for (const [input, field, message] of wrong) {
      const fault = faultOf(input);
      expect(fault.details.field).toBe(field);
      expect(fault).toMatchObject({
        code: 'BAD_USER_INPUT',
        message: expect.stringMatching(message) as unknown,
      });
    }
  });

  it('is accepted or named, whatever is sent', () => {
    const names = [
      'url',
      'events',
      'headers',
      'retrySchedule',
      'secret',
      'machines',
      'timeoutSeconds',
      'maxConcurrency',
      'filter',
      'onFailed',
      'rateLimitPerSecond',
      'ed25519',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, value) => {
        try {
          check({ [name]: value });
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
          expect((error as HooklineError).details.field).toMatch(new RegExp(`^${name}(\\.|$)`));
        }
      }),
    );
  });
});

describe('an expression', () => {
  const faulty = 'data[';
  const problemOf = (source: string) =>
    source === faulty ? 'A bracket is not closed: close it with ].' : null;

  it.each(['filter', 'payload', 'orderBy'])('is refused as %s with what is wrong with it', (name) => {
    const give = (source: string) => checkEndpointInput({ [name]: source }, problemOf, 'endpoints.3.');
    expect(give('data.id')).toEqual({ [name]: 'data.id' });
    expect(() => give(faulty)).toThrow(
      expect.objectContaining({
        code: 'BAD_USER_INPUT',
        message: expect.stringMatching(/cannot be used\. A bracket is not closed: close it/) as unknown,
        details: { field: `endpoints.3.${name}` },
      }),
    );
  });
});

describe('headers', () => {
  const headers = (...list: unknown[]) => check({ headers: list }).headers;

  it('are kept in lower case, without the spaces around them', () => {
    expect(headers({ name: 'X-Api-Key', value: ' v ', secret: true }, { name: 'x-b', value: '' })).toEqual([
      { name: 'x-api-key', value: 'v', secret: true },
      { name: 'x-b', value: '', secret: false },
    ]);
  });

  it('are refused where they are ours or the connection’s', () => {
    const ours = [
      'Host',
      'content-length',
      'Connection',
      'transfer-encoding',
      'te',
      'upgrade',
      'keep-alive',
      'expect',
    ];
    for (const name of [
      ...ours,
      'webhook-id',
      'Webhook-Anything',
      'X-MES-Signature',
      'x-hookline-attempt',
      'Proxy-Authorization',
    ]) {
      expect(faultOf({ headers: [{ name, value: 'v' }] }).details.field).toBe('headers.0.name');
    }
  });

  it('cannot smuggle a line break, in name or value, and the value is not repeated', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom('\r', '\n', '\0', '\u007f', '\u2028'),
        fc.string(),
        (before, bad, after) => {
          expect(
            faultOf({ headers: [{ name: 'x-a', value: `${before}${bad}${after}` }] }).details.field,
          ).toBe('headers.0.value');
          expect(faultOf({ headers: [{ name: `x${bad}`, value: 'v' }] }).details.field).toBe(
            'headers.0.name',
          );
        },
      ),
    );
    expect(faultOf({ headers: [{ name: 'x-a', value: 'hidden\n' }] }).message).not.toContain('hidden');
  });

  it('are refused twice, too many, or in another shape', () => {
    expect(
      faultOf({
        headers: [
          { name: 'x-a', value: '1' },
          { name: 'X-A', value: '2' },
        ],
      }).details.field,
    ).toBe('headers.1.name');
    const many = Array.from({ length: 51 }, (_, index) => ({ name: `x-${index}`, value: '' }));
    expect(faultOf({ headers: many }).details.field).toBe('headers');
    expect(headers(...many.slice(1))).toHaveLength(50);
    for (const header of [
      null,
      'x: y',
      {},
      { name: 'x-a' },
      { name: 'x-a', value: 1 },
      { name: 'x-a', value: '', secret: 'yes' },
    ]) {
      expect(faultOf({ headers: [header] }).details.field).toMatch(/^headers\.0\./);
    }
  });
});

describe('a secret', () => {
  it('is accepted as whsec_ of 16 to 64 bytes, and as text of 16 to 64 bytes', () => {
    const whsec = (bytes: number) => `whsec_${Buffer.alloc(bytes, 1).toString('base64')}`;
    for (const secret of [
      whsec(16),
      whsec(64),
      'x'.repeat(16),
      'x'.repeat(64),
      'ü'.repeat(8),
      'f'.repeat(64),
    ]) {
      expect(check({ secret })).toEqual({ secret });
    }
    const wrong = [
      whsec(15),
      whsec(65),
      'whsec_%',
      'whpk_abc',
      'x'.repeat(15),
      'x'.repeat(65),
      `line\nbreak${'x'.repeat(16)}`,
      '',
    ];
    for (const secret of wrong) {
      const fault = faultOf({ secret });
      expect(fault.details.field).toBe('secret');
      if (secret !== '') expect(fault.message).not.toContain(secret);
    }
  });

  it('must be able to sign something: text alone needs the legacy signature', async () => {
    const { start } = createEndpointWorld();
    await using endpoints = await start();
    const input = { url: 'https://hooks.example', events: ['*'], secret: 'a-secret-that-is-text' };
    await expect(endpoints.create({ ...input, legacySignature: false })).rejects.toMatchObject({
      details: { field: 'legacySignature' },
    });
    const { endpoint } = await endpoints.create(input);
    await expect(endpoints.update(endpoint.id, { legacySignature: false })).rejects.toMatchObject({
      details: { field: 'legacySignature' },
    });
    await endpoints.rotateSecret(endpoint.id, 0);
    await expect(endpoints.update(endpoint.id, { legacySignature: false })).resolves.toBeDefined();
  });
});

describe('a new endpoint', () => {
  it('needs a URL and events', async () => {
    const { start } = createEndpointWorld();
    await using endpoints = await start();
    await expect(endpoints.create({ events: ['*'] })).rejects.toMatchObject({ details: { field: 'url' } });
    await expect(endpoints.create({ url: 'https://hooks.example' })).rejects.toMatchObject({
      details: { field: 'events' },
    });
    const { endpoint } = await endpoints.create({ url: 'https://hooks.example', events: ['*'] });
    await expect(endpoints.update(endpoint.id, { events: [] })).rejects.toMatchObject({
      details: { field: 'events' },
    });
  });
});
