import { describe, expect, it } from 'vitest';
import { startDelivery } from '../support/delivery-harness.ts';
import { makeEvent, newEvent } from '../support/store-fixtures.ts';
import { createFlow, explain, iso, publish } from './support/explain-delivery.ts';

const REFUSED = { outcome: 'HTTP_STATUS', statusCode: 500 } as const;

describe('an event that did not reach an endpoint because of its clauses', () => {
  it('names the types', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ events: ['work_order.*', 'alarm.triggered'] });
    const eventId = await publish(delivery, 'quality.ncr_created');
    const explanation = await explain(delivery, eventId, endpointId);
    expect(explanation).toMatchObject({
      eventId,
      endpointId,
      code: 'TYPE_DOES_NOT_MATCH',
      delivery: null,
      waitsForDeliveryId: null,
      orderKey: null,
      nextAttempt: null,
    });
    expect(explanation.sentence).toMatch(
      /^It was not sent, because type quality\.ncr_created is not among work_order\.\*, alarm\.triggered\. .*replay/,
    );
    expect(explanation.clauses).toEqual([
      { clause: 'active', matched: true, detail: 'the endpoint is switched on' },
      {
        clause: 'types',
        matched: false,
        detail: 'type quality.ncr_created is not among work_order.*, alarm.triggered',
      },
      { clause: 'machines', matched: true, detail: 'all machines are taken' },
      { clause: 'test', matched: true, detail: 'the event is no test' },
      { clause: 'filter', matched: true, detail: 'there is no filter' },
    ]);
  });

  it('names the machine', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ machines: ['m-2'], machineGroups: ['lathe'] });
    const eventId = await publish(delivery);
    const explanation = await explain(delivery, eventId, endpointId);
    expect(explanation.code).toBe('MACHINE_DOES_NOT_MATCH');
    expect(explanation.sentence).toContain(
      'machine m-1 of the group mill is not among m-2 and the groups lathe',
    );
    const nowhere = await delivery.events.publish({ type: 'work_order.created', data: {} });
    expect((await explain(delivery, nowhere.id, endpointId)).sentence).toContain(
      'the event names no machine, and only m-2 and the groups lathe are taken',
    );
  });

  it('says that tests are not wanted', async () => {
    await using delivery = await startDelivery();
    const endpointId = await createFlow(delivery);
    const eventId = await publish(delivery, 'work_order.created', true);
    const explanation = await explain(delivery, eventId, endpointId);
    expect(explanation.code).toBe('TEST_NOT_WANTED');
    expect(explanation.sentence).toContain('the event is a test, and the endpoint does not take those');
  });

  it('shows the filter that is not true', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ filter: 'data.priority = "high"' });
    delivery.evaluate = () => ({ ok: true, value: false });
    const eventId = await publish(delivery);
    const explanation = await explain(delivery, eventId, endpointId);
    expect(explanation.code).toBe('FILTER_IS_FALSE');
    expect(explanation.sentence).toContain('the filter data.priority = "high" is not true for it');
  });

  it('says that the filter raises an error, be the delivery held or missing', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ filter: '$sum(data)' });
    delivery.evaluate = () => ({ ok: false, code: 'T0410', message: 'It holds a secret.' });
    const held = await explain(delivery, await publish(delivery), endpointId);
    expect(held).toMatchObject({
      code: 'FILTER_FAILED',
      sentence:
        'It is held, because the filter of the endpoint raised an error on this event. Mend the expression, then retry it.',
      delivery: { status: 'HELD', reason: 'filter_failed' },
      nextAttempt: null,
    });
    await delivery.endpoints.update(endpointId, { active: false });
    const missing = await publish(delivery);
    await delivery.endpoints.update(endpointId, { active: true });
    const explanation = await explain(delivery, missing, endpointId);
    expect(explanation).toMatchObject({ code: 'FILTER_FAILED', delivery: null });
    expect(explanation.clauses.at(-1)).toEqual({
      clause: 'filter',
      matched: false,
      detail: 'the filter $sum(data) raises an error on it',
    });
    expect(JSON.stringify(explanation)).not.toContain('It holds a secret.');
  });

  it('says that an endpoint is never told about itself', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint({ events: ['*', 'hookline.*'], retrySchedule: ['0s'] });
    const watcher = await delivery.createEndpoint({ events: ['hookline.*'] });
    delivery.farEnd = (lease) => (lease.endpointId === endpointId ? REFUSED : {});
    await publish(delivery);
    const news = await delivery.waitForDelivery((row) => row.endpointId === watcher);
    const explanation = await explain(delivery, news.eventId, endpointId);
    expect(explanation.code).toBe('TYPE_DOES_NOT_MATCH');
    expect(explanation.sentence).toContain('about this endpoint, which is never told about itself');
  });

  it('agrees with who gets it, whatever the endpoint restricts', async () => {
    await using delivery = await startDelivery();
    const { endpoints, clock } = delivery;
    const flow = { kind: 'FLOW', key: 'f' } as const;
    const [plain, tests] = await endpoints.declare('nr', [
      { ...flow, events: ['*'] },
      { ...flow, key: 'g', events: ['*'], includeTest: true },
    ]);
    const ids = [
      plain!.endpoint.id,
      tests!.endpoint.id,
      await delivery.createEndpoint({ events: ['work_order.*'], machines: ['m-1'] }),
      await delivery.createEndpoint({ events: ['workorder.created'], machineGroups: ['mill'] }),
      await delivery.createEndpoint({ events: ['*', 'hookline.*'] }),
    ];
    const machines = [null, { id: 'm-1' }, { id: 'm-2', group: 'mill' }, { id: 'm-3', group: 'lathe' }];
    const events = ['work_order.created', 'alarm.triggered', 'hookline.backlog.old'].flatMap((type) =>
      machines.flatMap((machine) => [true, false].map((test) => makeEvent(clock, { type, machine, test }))),
    );
    await delivery.store.append(events.map((event) => newEvent(event)));
    for (const event of events) {
      for (const id of ids) {
        const { clauses } = await explain(delivery, event.id, id);
        const matched = clauses.every((clause) => clause.matched);
        expect([event.type, event.machine, event.test, id, matched]).toEqual([
          event.type,
          event.machine,
          event.test,
          id,
          endpoints.runtime(id)!.matches(event),
        ]);
      }
    }
  });
});

describe('an event for which nothing was queued although it matches', () => {
  it('came while the endpoint was off', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    await delivery.endpoints.disable(endpointId, 'gone');
    delivery.clock.advance(1000);
    const eventId = await publish(delivery);
    const off = await explain(delivery, eventId, endpointId);
    expect(off).toMatchObject({ code: 'ENDPOINT_WAS_OFF', delivery: null });
    expect(off.sentence).toBe(
      'The endpoint is switched off (by the gateway: its receiver said that it is gone for good), so nothing was queued for it; switch it on and replay what is missing (replayEvents with onlyMissing).',
    );
    expect(off.clauses[0]).toMatchObject({ clause: 'active', matched: false });
    await delivery.endpoints.update(endpointId, { active: true });
    const on = await explain(delivery, eventId, endpointId);
    expect(on.code).toBe('ENDPOINT_WAS_OFF');
    expect(on.sentence).toContain(`when it was received on ${iso(delivery.clock.now())}`);
    expect(on.sentence).toContain('onlyMissing');
  });

  it('came before the endpoint was made', async () => {
    await using delivery = await startDelivery();
    const eventId = await publish(delivery);
    const receivedAt = delivery.clock.now();
    delivery.clock.advance(60_000);
    const endpointId = await delivery.createEndpoint();
    expect(await explain(delivery, eventId, endpointId)).toMatchObject({
      code: 'ENDPOINT_IS_NEWER',
      sentence: `The endpoint was made on ${iso(delivery.clock.now())}, after the event was received on ${iso(receivedAt)}; to have it sent, replay what is missing (replayEvents with onlyMissing).`,
    });
  });

  it('came after the endpoint was deleted', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    await delivery.endpoints.remove(endpointId);
    const explanation = await explain(delivery, await publish(delivery), endpointId);
    expect(explanation).toMatchObject({
      code: 'ENDPOINT_DELETED',
      sentence: `The endpoint was deleted on ${iso(delivery.clock.now())}: nothing is sent to it any more.`,
    });
  });
});

describe('what cannot be explained', () => {
  it('is an event or an endpoint that is not there', async () => {
    await using delivery = await startDelivery();
    const endpointId = await delivery.createEndpoint();
    const eventId = await publish(delivery);
    await expect(explain(delivery, eventId, 'ep_none')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'There is no endpoint "ep_none": list the endpoints to see their ids.',
    });
    await expect(explain(delivery, 'evt-none', endpointId)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'There is no event "evt-none": it may be older than what is kept.',
    });
  });

  it('is a message that was meant for another endpoint alone', async () => {
    await using delivery = await startDelivery();
    const [to, other] = [await delivery.createEndpoint(), await delivery.createEndpoint()];
    const row = await delivery.deliveries.sendTo({ endpointId: to, payload: {}, idempotencyKey: 'k' });
    await delivery.waitForDelivery(({ status }) => status === 'SUCCEEDED');
    expect(await explain(delivery, row.eventId, to)).toMatchObject({ code: 'DELIVERED' });
    await expect(explain(delivery, row.eventId, other)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `The event "${row.eventId}" was meant for the endpoint "${to}" alone: ask about that one.`,
    });
  });
});
