import { createHmac, randomBytes } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { createSecretBox } from '../../gateway/access/secret-box.ts';
import { createSourceRegistry } from '../../gateway/ingest/sources.ts';
import type { SourceRegistry } from '../../gateway/ingest/sources.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createMemoryRecords } from '../support/memory-records.ts';

const BODY = Buffer.from('{"id": "evt-1",\n "type":"work_order.created","data":{}}');

function setUp() {
  const clock = createManualClock();
  const records = createMemoryRecords(clock);
  const secretBox = createSecretBox(Buffer.alloc(32, 7).toString('base64'), randomBytes);
  const start = (givenSecrets: Record<string, string> = {}): Promise<SourceRegistry> =>
    createSourceRegistry({ records, secretBox, clock, random: randomBytes, givenSecrets });
  return { clock, records, secretBox, start };
}

const hex = (secret: string, body: string | Uint8Array) =>
  createHmac('sha256', secret).update(body).digest('hex');

it('has the two vendors from the first start, each with a secret of its own', async () => {
  const { start, clock, records } = setUp();
  using sources = await start();
  expect(sources.list()).toEqual([
    {
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
      createdAt: clock.now(),
    },
    expect.objectContaining({
      id: 'src_machinemetrics',
      dialect: 'machinemetrics',
      signature: expect.objectContaining({ header: 'x-machinemetrics-signature' }) as unknown,
    }),
  ]);
  expect(sources.find('mes')).toBe(sources.list()[0]);
  expect(sources.find('src_mes')).toBe(sources.list()[0]);
  expect(sources.find('other')).toBeNull();
  expect(sources.sourceRuntime('src_mes')).toBeNull();
  const secrets = ['mes', 'machinemetrics'].map((name) => sources.revealSecret(name));
  expect(new Set(secrets).size).toBe(2);
  const visible = JSON.stringify([await records.list('sources'), sources.list()]);
  for (const secret of secrets) {
    expect(secret).toMatch(/^whsec_/);
    expect(visible).not.toContain(secret);
  }
  expect(() => sources.revealSecret('other')).toThrow(/mes, machinemetrics/);
});

it('accepts what is signed with the secret over the bytes as they came, and says why it refuses', async () => {
  const { start } = setUp();
  using sources = await start({ mes: 'the-secret-of-the-mes' });
  const { verify, source } = sources.sourceRuntime('mes')!;
  expect(source.name).toBe('mes');
  const signature = hex('the-secret-of-the-mes', BODY);
  expect(verify(BODY, { 'x-mes-signature': signature })).toEqual({ valid: true, leniently: false });
  expect(verify(BODY, { 'x-mes-signature': hex('another-secret-0000000', BODY) })).toMatchObject({
    valid: false,
    reason: 'signature_mismatch',
  });
  expect(verify(BODY, {})).toMatchObject({ valid: false, reason: 'missing_signature' });
  expect(verify(Buffer.from(''), { 'x-mes-signature': signature })).toMatchObject({ valid: false });
  expect(
    sources.sourceRuntime('machinemetrics')!.verify(BODY, { 'x-mes-signature': signature }),
  ).toMatchObject({ valid: false });
});

it('takes the re-stringified form only where the source is lenient, and says so', async () => {
  const { start, records } = setUp();
  using sources = await start({ mes: 'the-secret-of-the-mes' });
  const restringified = JSON.stringify(JSON.parse(BODY.toString()));
  const headers = { 'x-mes-signature': hex('the-secret-of-the-mes', restringified) };
  const verify = () => sources.sourceRuntime('mes')!.verify(BODY, headers);
  expect(verify()).toMatchObject({ valid: false, reason: 'signature_mismatch' });
  const stored = (await records.get<object>('sources', 'src_mes'))!;
  const value = { ...stored.value, lenientJson: true };
  await records.commit([{ collection: 'sources', id: 'src_mes', value, ifVersion: stored.version }]);
  await vi.waitFor(() => expect(verify()).toEqual({ valid: true, leniently: true }));
  const strictly = { 'x-mes-signature': hex('the-secret-of-the-mes', BODY) };
  expect(sources.sourceRuntime('mes')!.verify(BODY, strictly)).toEqual({ valid: true, leniently: false });
  expect(sources.sourceRuntime('mes')!.verify(Buffer.from('no json'), headers)).toMatchObject({
    valid: false,
  });
});

it('keeps its secrets over a restart; one that is set wins and stays', async () => {
  const { start, records } = setUp();
  const first = await start();
  const generated = first.revealSecret('mes');
  first[Symbol.dispose]();
  const commits = records.commits;
  const second = await start();
  expect(second.revealSecret('mes')).toBe(generated);
  second[Symbol.dispose]();
  expect(records.commits).toBe(commits);
  const third = await start({ mes: 'set-by-the-operator', machinemetrics: 'and-this-one-as-well' });
  expect(third.revealSecret('mes')).toBe('set-by-the-operator');
  third[Symbol.dispose]();
  using fourth = await start();
  expect(fourth.revealSecret('mes')).toBe('set-by-the-operator');
  expect(fourth.revealSecret('machinemetrics')).toBe('and-this-one-as-well');
  expect(JSON.stringify(await records.list('sources'))).not.toContain('set-by-the-operator');
});

it('comes to one secret where two processes start for the first time together', async () => {
  const { start } = setUp();
  const [one, other] = await Promise.all([start(), start()]);
  expect(one.revealSecret('mes')).toBe(other.revealSecret('mes'));
  one[Symbol.dispose]();
  other[Symbol.dispose]();
});

it('stops the start for a secret of a source that does not exist, without showing it', async () => {
  const { start } = setUp();
  const failed = start({ maschinemetrics: 'a-secret-for-nobody' });
  await expect(failed).rejects.toMatchObject({
    code: 'CONFIGURATION',
    message: expect.stringMatching(/HOOKLINE_SOURCE_MASCHINEMETRICS_SECRET.*mes, machinemetrics/) as unknown,
  });
  await expect(failed).rejects.not.toThrow(/a-secret-for-nobody/);
});
