import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { standardScheme } from '../../gateway/signing/standard.ts';
import type { NodeMessage } from '../../nodes/glue/node-red-api.ts';
import { onTab, recorder, startFlow, tab } from './support/flow-harness.ts';
import type { TestFlow } from './support/flow-harness.ts';

let flow: TestFlow;

afterEach(async () => {
  await flow[Symbol.asyncDispose]();
});

const SECRET = 'a secret that both sides share';
const BODY = Buffer.from('{"id":"evt-1","type":"work_order.created","data":{"n":1.0}}');
const signature = createHmac('sha256', SECRET).update(BODY).digest('hex');

/** Hands one message to a verify node. @returns it with the number of the output it came out of */
async function verify(
  msg: NodeMessage,
  settings: object = {},
  secret: string = SECRET,
): Promise<NodeMessage & { output: number }> {
  flow = await startFlow(
    [
      tab,
      onTab('v', 'hookline-verify', [['valid'], ['rejected']], settings),
      recorder('valid'),
      recorder('rejected'),
    ],
    { v: { secret } },
  );
  flow.send('v', msg);
  return flow.until('an answer', () => {
    const [valid] = flow.received('valid');
    const [rejected] = flow.received('rejected');
    if (valid !== undefined) return { ...valid, output: 1 };
    return rejected === undefined ? null : { ...rejected, output: 2 };
  });
}

const request = (headers: Record<string, string>): { headers: Record<string, string> } => ({ headers });

describe('a verify node', () => {
  it('sends a request with the right signature on, parsed', async () => {
    const out = await verify({ payload: BODY, req: request({ 'x-mes-signature': signature }), keep: 'this' });
    expect(out).toMatchObject({
      output: 1,
      payload: { id: 'evt-1', data: { n: 1 } },
      verified: { scheme: 'mes', signedAt: null },
      keep: 'this',
    });
    await flow.status('v', 'hookline-verify.status.valid');
  });

  it('leaves the bytes where it is told to', async () => {
    const out = await verify(
      { payload: BODY, req: request({ 'x-mes-signature': signature }) },
      { keepRaw: true },
    );
    expect(out.payload).toEqual(BODY);
  });

  it('takes headers from the message where there is no request', async () => {
    const out = await verify({ payload: BODY.toString(), headers: { 'x-mes-signature': signature } });
    expect(out.output).toBe(1);
  });

  it('rejects a wrong signature with the answer that the sender expects', async () => {
    const out = await verify({ payload: Buffer.from('{}'), req: request({ 'x-mes-signature': signature }) });
    expect(out).toMatchObject({
      output: 2,
      statusCode: 401,
      payload: { error: 'Invalid signature' },
      rejection: { reason: 'signature_mismatch' },
    });
    await flow.status('v', 'hookline-verify.status.rejected');
  });

  it('rejects a body that was parsed before, and says how to change that', async () => {
    const out = await verify({
      payload: JSON.parse(BODY.toString()),
      req: request({ 'x-mes-signature': signature }),
    });
    expect(out).toMatchObject({
      output: 2,
      statusCode: 401,
      rejection: { reason: 'body_parsed', message: expect.stringContaining('Do not parse request body') },
    });
    await flow.status('v', 'hookline-verify.status.parsed');
  });

  it('rejects everything while it has no secret', async () => {
    const out = await verify({ payload: BODY, req: request({ 'x-mes-signature': signature }) }, {}, '');
    expect(out).toMatchObject({ output: 2, statusCode: 401, rejection: { reason: 'no_secret' } });
    await flow.status('v', 'hookline-verify.status.noSecret');
  });

  it('rejects everything where its settings cannot work', async () => {
    const settings = { scheme: 'custom', header: 'not a header' };
    const out = await verify({ payload: BODY, req: request({ 'x-mes-signature': signature }) }, settings);
    expect(out).toMatchObject({ output: 2, statusCode: 401, rejection: { reason: 'wrong_settings' } });
    await flow.status('v', 'hookline-verify.status.settings');
  });

  it('checks the signed time, and says when it was', async () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const timestamp = Math.floor(Date.now() / 1000);
    const headers = standardScheme.sign({ secrets: [secret], id: 'msg_1', timestamp, body: BODY });
    const out = await verify({ payload: BODY, req: request(headers) }, { scheme: 'standard' }, secret);
    expect(out).toMatchObject({
      output: 1,
      verified: { scheme: 'standard', signedAt: new Date(timestamp * 1000).toISOString() },
    });
  });

  it.each([
    ['', 2],
    ['0', 1],
  ])('with the tolerance "%s" sends an old request to output %i', async (tolerance, output) => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const headers = standardScheme.sign({
      secrets: [secret],
      id: 'msg_1',
      timestamp: 1_614_265_330,
      body: BODY,
    });
    const out = await verify(
      { payload: BODY, req: request(headers) },
      { scheme: 'standard', tolerance },
      secret,
    );
    expect(out.output).toBe(output);
  });

  it('follows a custom scheme', async () => {
    const signed = createHmac('sha512', SECRET).update('1700000000:').update(BODY).digest('base64');
    const out = await verify(
      { payload: BODY, req: request({ 'x-sig': `v1=${signed}`, 'x-time': '1700000000' }) },
      {
        scheme: 'custom',
        header: 'X-Sig',
        prefix: 'v1=',
        encoding: 'base64',
        digest: 'sha512',
        template: '{timestamp}:{body}',
        timestampHeader: 'x-time',
        tolerance: '0',
      },
    );
    expect(out.output).toBe(1);
  });

  it('leaves a body that is no JSON as text', async () => {
    const form = Buffer.from('token=1&text=hello');
    const headers = { 'x-mes-signature': createHmac('sha256', SECRET).update(form).digest('hex') };
    expect(await verify({ payload: form, req: request(headers) })).toMatchObject({
      output: 1,
      payload: 'token=1&text=hello',
    });
  });
});
