import { describe, expect, it } from 'vitest';
import { deliveryWhere, eventWhere } from '../../gateway/graphql/filters.ts';
import { compileDeliveryMatcher, compileEventMatcher } from '../../gateway/graphql/matchers.ts';
import type { DeliveryRow } from '../../gateway/store/store-reader.ts';
import { makeEvent } from '../support/store-fixtures.ts';
import { MES } from './support/test-services.ts';

const sources = {
  list: () => [MES],
  find: (name: string) => (name === MES.id || name === MES.name ? MES : null),
  revealSecret: () => '',
};
const clock = { now: () => 1000 };

describe('a filter of events', () => {
  it('restricts by nothing where nothing, null or an empty list is given', () => {
    expect(eventWhere(null, sources)).toEqual({});
    expect(eventWhere({ types: [], sources: null, machines: [], test: null }, sources)).toEqual({});
    expect(eventWhere({ types: ['work_order.created', '*'] }, sources)).toEqual({});
  });

  it('knows sources by id and types in other spellings', () => {
    expect(
      eventWhere(
        { sources: ['src_mes', 'mes', 'other'], types: ['WorkOrder.Created', 'work_order.*'] },
        sources,
      ),
    ).toEqual({
      sources: ['mes', 'mes', 'other'],
      types: ['WorkOrder.Created', 'work_order.created', 'work_order.*'],
    });
  });

  it('refuses a type that is none', () => {
    expect(() => eventWhere({ types: ['*.created'] }, sources)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', details: { field: 'filter.types' } }),
    );
  });

  it.each([
    [{}, true],
    [{ types: ['work_order.*'] }, true],
    [{ types: ['work_order.updated'] }, false],
    [{ sources: ['mes'] }, true],
    [{ sources: ['machinemetrics'] }, false],
    [{ machines: ['m-1', 'm-2'] }, true],
    [{ machines: ['m-2'] }, false],
    [{ since: 1000, until: 1001 }, true],
    [{ since: 1001 }, false],
    [{ until: 1000 }, false],
    [{ test: false }, true],
    [{ test: true }, false],
  ])('chooses for a stream what it chooses for a page: %j', (where, expected) => {
    expect(compileEventMatcher(where)(makeEvent(clock, { machine: { id: 'm-1' } }))).toBe(expected);
  });

  it('by source or machine leaves out what has none', () => {
    const event = makeEvent(clock, { source: null });
    expect(compileEventMatcher({ sources: ['mes'] })(event)).toBe(false);
    expect(compileEventMatcher({ machines: ['m-1'] })(event)).toBe(false);
  });
});

describe('a filter of deliveries', () => {
  const delivery: DeliveryRow = {
    id: 'dlv_1',
    eventId: 'evt-1',
    eventType: 'work_order.created',
    endpointId: 'ep_1',
    status: 'HELD',
    reason: null,
    orderKey: null,
    attemptCount: 0,
    generation: 0,
    step: 0,
    nextAttemptAt: null,
    createdAt: 1000,
    completedAt: null,
    test: true,
    direct: false,
    context: null,
  };

  it.each([
    [{}, true],
    [{ endpoints: ['ep_1', 'ep_2'] }, true],
    [{ endpoints: ['ep_2'] }, false],
    [{ events: ['evt-1'] }, true],
    [{ events: ['evt-2'] }, false],
    [{ types: ['work_order.*'] }, true],
    [{ types: ['machine.*'] }, false],
    [{ statuses: ['HELD' as const, 'SENDING' as const] }, true],
    [{ statuses: ['SUCCEEDED' as const] }, false],
    [{ since: 1000, until: 1001, test: true }, true],
    [{ since: 1001 }, false],
    [{ test: false }, false],
    [{ endpoints: [], statuses: null }, true],
  ])('%j: %s', (filter, expected) => {
    expect(compileDeliveryMatcher(deliveryWhere(filter))(delivery)).toBe(expected);
  });
});
