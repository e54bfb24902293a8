import { describe, expect, it } from 'vitest';
import type { StoredReplay } from '../../gateway/delivery/replay-record.ts';
import { HooklineError } from '../../gateway/errors.ts';
import { startDelivery, type DeliveryHarness } from '../support/delivery-harness.ts';
import { mortalStore, publish, rowsOf, startProcess, untilAll, withOwe } from './support/replay-process.ts';

const REFUSED = { outcome: 'HTTP_STATUS', statusCode: 500 } as const;
const LEASE_MS = 30_000;

/** A replay of everything as it is kept before anybody carries it on. */
function storedReplay(delivery: DeliveryHarness, endpointId: string): StoredReplay {
  const createdAt = delivery.clock.now();
  return {
    endpointId,
    where: { since: 0, until: createdAt + 1 },
    onlyFailed: false,
    onlyMissing: false,
    perSecond: 1,
    status: 'RUNNING',
    total: 3,
    queued: 0,
    skipped: 0,
    error: null,
    createdAt,
    finishedAt: null,
    cursor: null,
    step: null,
    lease: null,
  };
}

describe('a process that dies', () => {
  it('after it queued a step and before it wrote that down: the next one sends nothing twice and counts right', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const ids = await publish(delivery, 5);
    await untilAll(delivery, ids, 'SUCCEEDED');
    const dying = mortalStore(delivery.store, 'after it queued');
    const { replays } = await startProcess(delivery, dying.store);
    const { job } = await replays.start({ endpointId, since: 0, perSecond: 3 });
    await dying.death;
    await untilAll(delivery, ids.slice(0, 3), 'SUCCEEDED', 1);

    await using next = await startProcess(delivery);
    expect(next.replays.find(job!.id)).toMatchObject({ status: 'RUNNING', queued: 0 });
    expect(await next.untilAsleep()).toBe(delivery.clock.now() + LEASE_MS);
    expect(await next.runToEnd(job!.id)).toMatchObject({ status: 'DONE', total: 5, queued: 5, skipped: 0 });
    await untilAll(delivery, ids, 'SUCCEEDED', 1);
    expect(delivery.attempts).toHaveLength(10);
  });

  it('after it queued what was missing: the next one makes no second delivery', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    await delivery.endpoints.update(endpointId, { active: false });
    const ids = await publish(delivery, 3);
    await delivery.endpoints.update(endpointId, { active: true });
    const dying = mortalStore(delivery.store, 'after it queued');
    const { replays } = await startProcess(delivery, dying.store);
    const { job } = await replays.start({ endpointId, since: 0, onlyMissing: true });
    await dying.death;
    await using next = await startProcess(delivery);
    expect(await next.runToEnd(job!.id)).toMatchObject({ status: 'DONE', queued: 3 });
    await untilAll(delivery, ids, 'SUCCEEDED');
    expect(delivery.attempts).toHaveLength(3);
  });

  it('before it queued what it planned: the next one does, except what came by other ways', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ retrySchedule: ['0s'] });
    delivery.farEnd = () => REFUSED;
    const ids = await publish(delivery, 3);
    await untilAll(delivery, ids, 'EXHAUSTED');
    const dying = mortalStore(delivery.store, 'before it queues');
    const { replays } = await startProcess(delivery, dying.store);
    const { job } = await replays.start({ endpointId, since: 0, onlyFailed: true });
    await dying.death;
    delivery.farEnd = () => ({});
    const [first] = await rowsOf(delivery, endpointId);
    await delivery.deliveries.retry(first!.id);
    await untilAll(delivery, ids.slice(0, 1), 'SUCCEEDED', 1);
    await using next = await startProcess(delivery);
    expect(await next.runToEnd(job!.id)).toMatchObject({ status: 'DONE', total: 3, queued: 3 });
    await untilAll(delivery, ids, 'SUCCEEDED', 1);
    expect(delivery.attempts).toHaveLength(6);
  });
});

describe('several processes', () => {
  it('all follow a replay, and one carries it on until it leaves', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const ids = await publish(delivery, 3);
    await untilAll(delivery, ids, 'SUCCEEDED');
    await using first = await startProcess(delivery);
    await using second = await startProcess(delivery);
    const { job } = await first.replays.start({ endpointId, since: 0, perSecond: 1 });
    await first.untilAsleep();
    await expect.poll(() => second.replays.find(job!.id)?.queued).toBe(1);
    await first[Symbol.asyncDispose]();
    await expect.poll(() => second.replays.find(job!.id)?.queued).toBe(2);
    expect(await second.runToEnd(job!.id)).toMatchObject({ status: 'DONE', queued: 3, skipped: 0 });
    await untilAll(delivery, ids, 'SUCCEEDED', 1);
    expect(delivery.attempts).toHaveLength(6);
  });

  it('never carry on the same one side by side', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const ids = await publish(delivery, 3);
    await untilAll(delivery, ids, 'SUCCEEDED');
    const value = storedReplay(delivery, endpointId);
    await delivery.store.commit([{ collection: 'replays', id: 'rpl_free', value, ifVersion: 0 }]);
    const [a, b] = await Promise.all([startProcess(delivery), startProcess(delivery)]);
    await using first = a;
    await using second = b;
    const wakes = await Promise.all([first.untilAsleep(), second.untilAsleep()]);
    const now = delivery.clock.now();
    expect(wakes.sort((x, y) => x - y)).toEqual([now + 1000, now + LEASE_MS]);
    expect(first.replays.find('rpl_free')).toMatchObject({ queued: 1 });
  });

  it('do not count what another one took over and counted', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const ids = await publish(delivery, 3);
    await untilAll(delivery, ids, 'SUCCEEDED');
    const queued = Promise.withResolvers<void>();
    const tookOver = Promise.withResolvers<void>();
    const store = withOwe(delivery.store, async (owe) => {
      const made = await owe();
      queued.resolve();
      await tookOver.promise;
      return made;
    });
    await using stalled = await startProcess(delivery, store);
    const { job } = await stalled.replays.start({ endpointId, since: 0 });
    await queued.promise;
    await using next = await startProcess(delivery);
    const done = await next.runToEnd(job!.id);
    expect(done).toMatchObject({ status: 'DONE', queued: 3, skipped: 0 });
    tookOver.resolve();
    await stalled[Symbol.asyncDispose]();
    expect(next.replays.find(job!.id)).toEqual(done);
    await untilAll(delivery, ids, 'SUCCEEDED', 1);
    expect(delivery.attempts).toHaveLength(6);
  });

  it('take a call to stop from any of them', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const ids = await publish(delivery, 3);
    await untilAll(delivery, ids, 'SUCCEEDED');
    await using first = await startProcess(delivery);
    await using second = await startProcess(delivery);
    const { job } = await first.replays.start({ endpointId, since: 0, perSecond: 1 });
    const wakeAt = await first.untilAsleep();
    await expect.poll(() => second.replays.find(job!.id)?.queued).toBe(1);
    await second.replays.cancel(job!.id);
    await expect.poll(() => first.replays.find(job!.id)?.status).toBe('CANCELLED');
    delivery.clock.set(wakeAt);
    await first[Symbol.asyncDispose]();
    expect(second.replays.find(job!.id)).toMatchObject({ status: 'CANCELLED', queued: 1 });
  });
});

describe('what goes wrong', () => {
  it('with the store for a while is waited for', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const ids = await publish(delivery, 2);
    await untilAll(delivery, ids, 'SUCCEEDED');
    let refusals = 2;
    const store = withOwe(delivery.store, (owe) => {
      if (refusals === 0) return owe();
      refusals -= 1;
      return Promise.reject(new HooklineError('STORE_UNAVAILABLE', 'The disk is full.'));
    });
    await using process = await startProcess(delivery, store);
    const { run } = process;
    expect(await run({ endpointId })).toMatchObject({ status: 'DONE', queued: 2, skipped: 0 });
    await untilAll(delivery, ids, 'SUCCEEDED', 1);
    expect(delivery.attempts).toHaveLength(4);
    expect(refusals).toBe(0);
  });

  it('with the endpoint ends the replay and says why', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const ids = await publish(delivery, 3);
    await untilAll(delivery, ids, 'SUCCEEDED');
    await using process = await startProcess(delivery);
    const { replays, untilAsleep, runToEnd } = process;
    const { job } = await replays.start({ endpointId, since: 0, perSecond: 1 });
    await untilAsleep();
    await delivery.endpoints.remove(endpointId);
    const ended = await runToEnd(job!.id);
    expect(ended).toMatchObject({ status: 'FAILED', queued: 1 });
    expect(ended.error).toBe(`The endpoint "${endpointId}" was deleted: nothing is sent to it any more.`);
  });

  it('with the place in the store after a restore ends it, and says to start again', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const value = { ...storedReplay(delivery, endpointId), total: 9, queued: 4, cursor: 'before.1' };
    await delivery.store.commit([{ collection: 'replays', id: 'rpl_old', value, ifVersion: 0 }]);
    await using process = await startProcess(delivery);
    const { runToEnd } = process;
    expect(await runToEnd('rpl_old')).toMatchObject({
      status: 'FAILED',
      queued: 4,
      error: expect.stringContaining('start the replay again') as string,
    });
  });

  it('inside is logged, and shown without what it was', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const ids = await publish(delivery, 1);
    await untilAll(delivery, ids, 'SUCCEEDED');
    const store = withOwe(delivery.store, () => Promise.reject(new TypeError('a fault of ours')));
    await using process = await startProcess(delivery, store);
    const { run } = process;
    const ended = await run({ endpointId });
    expect(ended).toMatchObject({ status: 'FAILED', queued: 0 });
    expect(ended.error).toMatch(/log of the gateway/);
    expect(ended.error).not.toContain('a fault of ours');
    expect(delivery.log.find(({ message }) => message === 'replay failed')?.fields).toMatchObject({
      replayId: ended.id,
      err: { message: 'a fault of ours' },
    });
  });
});
