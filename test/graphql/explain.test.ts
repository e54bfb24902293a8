import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/clock.ts';
import { createExplanationService } from '../../gateway/delivery/explain.ts';
import { createSubscriptions } from '../../gateway/delivery/subscriptions.ts';
import { owe } from '../support/store-fixtures.ts';
import { startTestGateway } from './support/test-gateway.ts';
import type { TestGateway } from './support/test-gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
  const { store, services } = gateway;
  const { endpoints } = services;
  const evaluate = () => ({ ok: true, value: true }) as const;
  const subscriptions = createSubscriptions({ endpoints, schedule: [0], evaluate });
  services.explanations = createExplanationService({ store, endpoints, subscriptions, clock: systemClock });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

const EXPLAIN = `query($eventId: ID!, $endpointId: ID!) {
  explainDelivery(eventId: $eventId, endpointId: $endpointId) {
    eventId endpointId code sentence
    clauses { clause matched detail }
    delivery { id status }
    waitsForDeliveryId waitsFor { id event { id } }
    orderKey nextAttempt { number at }
  }
}`;

async function createEndpoint(events = ['work_order.*']): Promise<string> {
  return (await gateway.services.endpoints.create({ url: 'https://hooks.example/in', events })).endpoint.id;
}

describe('explainDelivery', () => {
  it('says which clause an event did not meet', async () => {
    const endpointId = await createEndpoint();
    const eventId = await gateway.storeEvent({ type: 'quality.ncr_created' });
    const { data, errors } = await gateway.ask(EXPLAIN, { eventId, endpointId });
    expect(errors).toBeUndefined();
    expect(data.explainDelivery).toMatchObject({
      eventId,
      endpointId,
      code: 'TYPE_DOES_NOT_MATCH',
      delivery: null,
      waitsForDeliveryId: null,
      waitsFor: null,
      orderKey: null,
      nextAttempt: null,
    });
    expect(data.explainDelivery.sentence).toContain('type quality.ncr_created is not among work_order.*');
    expect(
      data.explainDelivery.clauses.map(({ clause, matched }: Record<string, unknown>) => [clause, matched]),
    ).toEqual([
      ['ACTIVE', true],
      ['TYPES', false],
      ['MACHINES', true],
      ['TEST', true],
      ['FILTER', true],
    ]);
  });

  it('says what a delivery waits for, and when it goes', async () => {
    const endpointId = await createEndpoint();
    const dueAt = Date.now() + 3_600_000;
    const debt = owe(systemClock, endpointId, { dueAt, orderKey: 'wo-123' });
    const first = await gateway.storeEvent({}, debt);
    const second = await gateway.storeEvent({}, debt);
    const { data: holder } = await gateway.ask(EXPLAIN, { eventId: first, endpointId });
    expect(holder.explainDelivery).toMatchObject({
      code: 'NOT_DUE_YET',
      delivery: { status: 'PENDING' },
      nextAttempt: { number: 1, at: new Date(dueAt).toISOString() },
    });
    const { id } = holder.explainDelivery.delivery;
    const { data } = await gateway.ask(EXPLAIN, { eventId: second, endpointId });
    expect(data.explainDelivery).toMatchObject({
      code: 'WAITS_FOR_KEY',
      delivery: { status: 'HELD' },
      waitsForDeliveryId: id,
      waitsFor: { id, event: { id: first } },
      orderKey: 'wo-123',
    });
  });

  it('is refused for what is not there, and for who may not see deliveries', async () => {
    const endpointId = await createEndpoint();
    const eventId = await gateway.storeEvent();
    const { errors } = await gateway.ask(EXPLAIN, { eventId: 'evt-none', endpointId });
    expect(errors).toMatchObject([{ path: ['explainDelivery'], extensions: { code: 'NOT_FOUND' } }]);
    const query = `query($eventId: ID!, $endpointId: ID!) {
      explainDelivery(eventId: $eventId, endpointId: $endpointId) { code }
    }`;
    const as = async (scope: 'events:read' | 'webhooks:read') =>
      gateway.ask(query, { eventId, endpointId }, await gateway.keyWith(scope));
    expect((await as('webhooks:read')).data.explainDelivery.code).toBe('ENDPOINT_WAS_OFF');
    expect((await as('events:read')).errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
  });
});
