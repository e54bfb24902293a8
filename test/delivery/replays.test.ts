import { describe, expect, it } from 'vitest';
import type { StoredReplay } from '../../gateway/delivery/replay-record.ts';
import type { ReplayInput } from '../../gateway/services.ts';
import { startDelivery } from '../support/delivery-harness.ts';
import { TestWorker } from '../support/store-fixtures.ts';
import { publish, rowsOf, startProcess, untilAll, withOwe } from './support/replay-process.ts';

const REFUSED = { outcome: 'HTTP_STATUS', statusCode: 500 } as const;

describe('a replay', () => {
  it('sends what is over once more, under the same id, in a new generation with the numbering going on', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const ids = await publish(delivery, 3);
    await untilAll(delivery, ids, 'SUCCEEDED');
    await using process = await startProcess(delivery);
    const { run } = process;
    const job = await run({ endpointId });
    expect(job).toMatchObject({ endpointId, status: 'DONE', total: 3, queued: 3, skipped: 0, error: null });
    expect(job.finishedAt).not.toBeNull();
    await untilAll(delivery, ids, 'SUCCEEDED', 1);
    const again = delivery.attempts.slice(3);
    expect(again.map(({ event }) => event.id).sort()).toEqual(ids);
    expect(again.map(({ attemptNumber, generation }) => [attemptNumber, generation])).toEqual(
      [1, 2, 3].map(() => [2, 1]),
    );
    expect(await rowsOf(delivery, endpointId)).toHaveLength(3);
  });

  it('passes over what is running by itself, and says how much', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const over = await publish(delivery, 1);
    await untilAll(delivery, over, 'SUCCEEDED');
    delivery.farEnd = () => REFUSED;
    const retrying = await publish(delivery, 1);
    await untilAll(delivery, retrying, 'RETRYING');
    await delivery.endpoints.update(endpointId, { paused: true });
    await publish(delivery, 1);
    await using process = await startProcess(delivery);
    const { run } = process;
    expect(await run({ endpointId })).toMatchObject({ total: 1, queued: 1, skipped: 2 });
    const rows = await rowsOf(delivery, endpointId);
    expect(rows.map(({ generation }) => generation)).toEqual([1, 0, 0]);
  });

  it('does not disturb what is being sent', async () => {
    await using delivery = await startDelivery();
    const { store } = delivery;
    const [flow] = await delivery.endpoints.declare('nr', [{ key: 'in', kind: 'FLOW', events: ['*'] }]);
    const { id: endpointId } = flow!.endpoint;
    await publish(delivery, 1);
    const consumer = new TestWorker(store, { pool: endpointId });
    const lease = await consumer.next();
    await using process = await startProcess(delivery);
    const { run } = process;
    expect(await run({ endpointId })).toMatchObject({ total: 0, queued: 0, skipped: 1 });
    expect((await rowsOf(delivery, endpointId))[0]).toMatchObject({ status: 'SENDING', generation: 0 });
    expect(lease.generation).toBe(0);
    await consumer.stop();
  });

  it('to an endpoint that is off waits there until it is switched on', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    await delivery.endpoints.update(endpointId, { active: false });
    const ids = await publish(delivery, 2);
    await using process = await startProcess(delivery);
    const { run } = process;
    expect(await run({ endpointId, onlyMissing: true })).toMatchObject({ status: 'DONE', queued: 2 });
    expect((await rowsOf(delivery, endpointId)).map(({ status }) => status)).toEqual(['HELD', 'HELD']);
    expect(delivery.attempts).toEqual([]);
    await delivery.endpoints.update(endpointId, { active: true });
    await untilAll(delivery, ids, 'SUCCEEDED');
  });
});

describe('the pace of a replay', () => {
  it('is kept: as many a second as asked for, oldest first', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    await delivery.endpoints.update(endpointId, { active: false });
    const ids = await publish(delivery, 5);
    await delivery.endpoints.update(endpointId, { active: true });
    await using process = await startProcess(delivery);
    const { replays, untilAsleep } = process;
    const { job } = await replays.start({ endpointId, since: 0, perSecond: 2 });
    const beginning = delivery.clock.now();
    expect(await untilAsleep()).toBe(beginning + 1000);
    expect(replays.find(job!.id)).toMatchObject({ status: 'RUNNING', total: 5, queued: 2 });
    await untilAll(delivery, ids.slice(0, 2), 'SUCCEEDED');
    delivery.clock.advance(1000);
    await untilAll(delivery, ids.slice(2, 4), 'SUCCEEDED');
    expect(await untilAsleep()).toBe(beginning + 2000);
    expect(delivery.attempts.map(({ event }) => event.id)).toEqual(ids.slice(0, 4));
    delivery.clock.advance(1000);
    await untilAll(delivery, ids, 'SUCCEEDED');
  });

  it('may be slower than one a second', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const ids = await publish(delivery, 2);
    await untilAll(delivery, ids, 'SUCCEEDED');
    await using process = await startProcess(delivery);
    const { replays, untilAsleep } = process;
    const { job } = await replays.start({ endpointId, since: 0, perSecond: 0.1 });
    expect(await untilAsleep()).toBe(delivery.clock.now() + 10_000);
    expect(replays.find(job!.id)).toMatchObject({ queued: 1 });
  });
});

describe('cancelling a replay', () => {
  it('stops it within a step, with what was queued until then', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const ids = await publish(delivery, 4);
    await untilAll(delivery, ids, 'SUCCEEDED');
    await using process = await startProcess(delivery);
    const { replays, untilAsleep } = process;
    const { job } = await replays.start({ endpointId, since: 0, perSecond: 1 });
    const wakeAt = await untilAsleep();
    const cancelled = await replays.cancel(job!.id);
    expect(cancelled).toMatchObject({ status: 'CANCELLED', queued: 1, total: 4 });
    expect(cancelled.finishedAt).toBe(delivery.clock.now());
    expect(await replays.cancel(job!.id)).toEqual(cancelled);
    delivery.clock.set(wakeAt);
    await untilAll(delivery, ids.slice(0, 1), 'SUCCEEDED', 1);
    await process[Symbol.asyncDispose]();
    expect(delivery.attempts).toHaveLength(5);
  });

  it('before it queued anything lets it queue nothing', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ filter: 'true' });
    const ids = await publish(delivery, 1);
    await untilAll(delivery, ids, 'SUCCEEDED');
    const planning = Promise.withResolvers<void>();
    const verdict = Promise.withResolvers<{ ok: true; value: boolean }>();
    await using process = await startProcess(delivery);
    const { job } = await process.replays.start({ endpointId, since: 0 });
    delivery.evaluate = () => {
      planning.resolve();
      return verdict.promise;
    };
    await planning.promise;
    await process.replays.cancel(job!.id);
    verdict.resolve({ ok: true, value: true });
    await process[Symbol.asyncDispose]();
    expect(process.replays.find(job!.id)).toMatchObject({ status: 'CANCELLED', queued: 0, skipped: 0 });
    expect((await rowsOf(delivery, endpointId))[0]).toMatchObject({ generation: 0 });
  });

  it('while it queues the last of it is kept, with the true count', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const ids = await publish(delivery, 2);
    await untilAll(delivery, ids, 'SUCCEEDED');
    const store = withOwe(delivery.store, async (owe) => {
      await process.replays.cancel(process.replays.list()[0]!.id);
      return owe();
    });
    await using process = await startProcess(delivery, store);
    const { job } = await process.replays.start({ endpointId, since: 0 });
    await untilAll(delivery, ids, 'SUCCEEDED', 1);
    await process[Symbol.asyncDispose]();
    expect(process.replays.find(job!.id)).toMatchObject({ status: 'CANCELLED', queued: 2 });
  });

  it('is refused for one that is over, and for one that never was', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    await using process = await startProcess(delivery);
    const { replays, run } = process;
    const { id } = await run({ endpointId });
    await expect(replays.cancel(id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(replays.cancel('rpl_none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(replays.find('rpl_none')).toBeNull();
  });
});

describe('starting a replay', () => {
  it.each<[string, Partial<ReplayInput>, string]>([
    ['both kinds at once', { onlyFailed: true, onlyMissing: true }, 'onlyMissing'],
    ['an end before the beginning', { since: 2000, until: 2000 }, 'until'],
    ['too slow a pace', { perSecond: 0.05 }, 'perSecond'],
    ['too fast a pace', { perSecond: 1001 }, 'perSecond'],
    ['no pace at all', { perSecond: Number.NaN }, 'perSecond'],
  ])('is refused with %s', async (_case, input, field) => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    await using process = await startProcess(delivery);
    const { replays } = process;
    await expect(replays.start({ endpointId, since: 0, ...input })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      details: { field },
    });
  });

  it('is refused for an endpoint that is not there, or not any more', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    await delivery.endpoints.remove(endpointId);
    await using process = await startProcess(delivery);
    const { replays } = process;
    await expect(replays.start({ endpointId, since: 0 })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(replays.start({ endpointId: 'ep_none', since: 0 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('the list of replays', () => {
  it('is newest first, and forgets the oldest of very many', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    await using before = await startProcess(delivery);
    const model = await before.run({ endpointId });
    const { value } = (await delivery.store.get<StoredReplay>('replays', model.id))!;
    await delivery.store.commit(
      Array.from({ length: 210 }, (_, index) => ({
        collection: 'replays',
        id: `rpl_${index}`,
        value: { ...value, createdAt: model.createdAt - 1 - index },
        ifVersion: 0 as const,
      })),
    );
    delivery.clock.advance(1000);
    await using process = await startProcess(delivery);
    const { replays, run } = process;
    const newest = await run({ endpointId });
    const ids = replays.list().map(({ id }) => id);
    expect(ids.slice(0, 3)).toEqual([newest.id, model.id, 'rpl_0']);
    expect(ids).toHaveLength(201);
    expect(ids).not.toContain('rpl_199');
  });
});
