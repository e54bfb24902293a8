import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/clock.ts';
import { createReplayService } from '../../gateway/delivery/replays.ts';
import { createSubscriptions } from '../../gateway/delivery/subscriptions.ts';
import type { Scope } from '../../gateway/services.ts';
import type { RecordStore } from '../../gateway/store/records.ts';
import type { Store } from '../../gateway/store/store.ts';
import { startTestGateway } from './support/test-gateway.ts';
import type { TestGateway } from './support/test-gateway.ts';

let gateway: TestGateway;
let replays: Awaited<ReturnType<typeof createReplayService>>;

beforeAll(async () => {
  gateway = await startTestGateway();
  const { endpoints } = gateway.services;
  const evaluate = () => ({ ok: true, value: true }) as const;
  replays = await createReplayService({
    store: gateway.store as Store & RecordStore,
    endpoints,
    subscriptions: createSubscriptions({ endpoints, schedule: [0], evaluate }),
    clock: systemClock,
    randomText: () => randomBytes(12).toString('hex'),
    log: { info: () => undefined, error: () => undefined },
  });
  gateway.services.replays = replays;
});
afterAll(async () => {
  await replays[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

const JOB = 'id endpoint { id } status total queued skipped error createdAt finishedAt';
const REPLAY = `mutation($input: ReplayInput!) { replayEvents(input: $input) { count job { ${JOB} } } }`;
const CANCEL = `mutation($id: ID!) { cancelReplay(id: $id) { ${JOB} } }`;

let made = 0;

/** An endpoint that subscribes to a type of its own, and events of that type that it missed. */
async function missEvents(count: number): Promise<{ endpointId: string; type: string; since: string }> {
  made += 1;
  const type = `replay.test_${made}`;
  const since = new Date(Date.now() - 1000).toISOString();
  const { endpoint } = await gateway.services.endpoints.create({
    url: 'https://hooks.example/in',
    events: ['replay.*'],
  });
  for (let n = 0; n < count; n += 1) await gateway.storeEvent({ type });
  return { endpointId: endpoint.id, type, since };
}

describe('replayEvents', () => {
  it('counts what a replay would queue, by time and filter, and queues nothing', async () => {
    const { endpointId, type, since } = await missEvents(3);
    const ask = async (more: object): Promise<unknown> =>
      (await gateway.ask(REPLAY, { input: { endpointId, since, dryRun: true, ...more } })).data.replayEvents;
    const filter = { types: [type] };
    expect(await ask({ filter, onlyMissing: true })).toEqual({ count: 3, job: null });
    expect(await ask({ filter, onlyFailed: true })).toEqual({ count: 0, job: null });
    expect(await ask({ filter: { types: ['nothing.else'] } })).toEqual({ count: 0, job: null });
    expect(await ask({ filter: { ...filter, until: since } })).toEqual({ count: 0, job: null });
    const until = new Date(Date.parse(since) + 1).toISOString();
    expect(await ask({ filter, until })).toEqual({ count: 0, job: null });
    expect(await ask({ filter: { types: [type], sources: ['src_mes'] } })).toEqual({ count: 3, job: null });
    const { data } = await gateway.ask(
      'query($id: ID!) { deliveries(filter: { endpoints: [$id] }) { edges { cursor } } }',
      { id: endpointId },
    );
    expect(data.deliveries.edges).toEqual([]);
  });

  it('starts a job that can be followed to its end', async () => {
    const { endpointId, type, since } = await missEvents(2);
    const { data } = await gateway.ask(REPLAY, {
      input: { endpointId, since, filter: { types: [type] }, onlyMissing: true, perSecond: 1000 },
    });
    const { count, job } = data.replayEvents;
    expect(count).toBe(2);
    expect(job).toMatchObject({
      endpoint: { id: endpointId },
      status: 'RUNNING',
      total: 2,
      finishedAt: null,
    });
    const find = async () =>
      (await gateway.ask(`query($id: ID!) { replayJob(id: $id) { ${JOB} } }`, { id: job.id })).data.replayJob;
    await expect.poll(async () => (await find()).status).toBe('DONE');
    const done = await find();
    expect(done).toMatchObject({ queued: 2, skipped: 0, error: null });
    expect(done.finishedAt).toMatch(/Z$/);
    const { data: listed } = await gateway.ask(`{ replayJobs { ${JOB} } }`);
    expect(listed.replayJobs[0]).toEqual(done);
  });

  it('starts a job that can be called off, once', async () => {
    const { endpointId, type, since } = await missEvents(3);
    const { data } = await gateway.ask(REPLAY, {
      input: { endpointId, since, filter: { types: [type] }, perSecond: 0.1 },
    });
    const { id } = data.replayEvents.job;
    const { data: cancelled } = await gateway.ask(CANCEL, { id });
    expect(cancelled.cancelReplay).toMatchObject({ id, status: 'CANCELLED', total: 3 });
    expect((await gateway.ask(CANCEL, { id: 'rpl_none' })).errors).toMatchObject([
      { extensions: { code: 'NOT_FOUND' } },
    ]);
  });

  it('is refused with code and field', async () => {
    const { endpointId, since } = await missEvents(0);
    const ask = async (input: object) => (await gateway.ask(REPLAY, { input: { since, ...input } })).errors;
    expect(await ask({ endpointId, onlyFailed: true, onlyMissing: true })).toMatchObject([
      { path: ['replayEvents'], extensions: { code: 'BAD_USER_INPUT', field: 'onlyMissing' } },
    ]);
    expect(await ask({ endpointId, filter: { types: ['a*b'] } })).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'filter.types' } },
    ]);
    expect(await ask({ endpointId: 'ep_none' })).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    await gateway.services.endpoints.remove(endpointId);
    expect(await ask({ endpointId })).toMatchObject([{ extensions: { code: 'CONFLICT' } }]);
  });
});

describe('replays', () => {
  it.each<[Scope, string, boolean]>([
    ['webhooks:read', '{ replayJobs { id } replayJob(id: "rpl_none") { id } }', true],
    ['events:read', '{ replayJobs { id } }', false],
    ['webhooks:read', 'mutation { cancelReplay(id: "rpl_none") { id } }', false],
    [
      'webhooks:read',
      `mutation { replayEvents(input: { endpointId: "x", since: "2026-01-01T00:00:00Z" }) { count } }`,
      false,
    ],
  ])('with the scope %s, %s is allowed: %s', async (scope, query, allowed) => {
    const { errors } = await gateway.ask(query, {}, await gateway.keyWith(scope));
    if (allowed) expect(errors).toBeUndefined();
    else expect(errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
  });
});
