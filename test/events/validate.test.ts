import { describe, expect, it } from 'vitest';
import { eventTypes } from '../../gateway/events/catalog.ts';
import { schemaErrors } from '../../gateway/events/validate.ts';
import machinemetricsSamples from '../fixtures/events/machinemetrics-samples.json' with { type: 'json' };
import machshopSamples from '../fixtures/events/machshop-samples.json' with { type: 'json' };

describe('schemaErrors', () => {
  it.each(machshopSamples)('finds nothing wrong with $title', ({ body }) => {
    expect(schemaErrors(body.type, body.data)).toEqual([]);
  });

  it.each(machinemetricsSamples)('finds nothing wrong with $title', ({ body }) => {
    const { machine, downtime, operator } = body;
    expect(schemaErrors('downtime.categorized', { machine, downtime, operator })).toEqual([]);
  });

  it('names the member and what is expected there, and quotes no value', () => {
    const data = { workOrder: { id: 'wo-1', quantity: 'secret words' } };
    expect(schemaErrors('work_order.created', data)).toEqual([
      'data.workOrder.quantity must be number or null',
    ]);
    expect(schemaErrors('work_order.created', {})).toEqual(["data must have required property 'workOrder'"]);
    expect(schemaErrors('work_order.created', null)).toEqual(['data must be object']);
  });

  it('accepts members, words and nulls that no sample shows', () => {
    const workOrder = { id: 'wo-1', status: 'FROZEN', quantity: null, plant: { site: 'north' } };
    expect(schemaErrors('work_order.started', { workOrder, more: [1] })).toEqual([]);
  });

  it('accepts both forms of what changed, and neither', () => {
    const workOrder = { id: 'wo-1' };
    const list = [{ field: 'priority', oldValue: 'LOW', newValue: 'HIGH' }];
    expect(schemaErrors('work_order.updated', { workOrder, changes: { priority: 'HIGH' } })).toEqual([]);
    expect(schemaErrors('work_order.updated', { workOrder, changes: list })).toEqual([]);
    expect(schemaErrors('work_order.updated', { workOrder, previousValues: null })).toEqual([]);
    expect(schemaErrors('work_order.updated', { workOrder: { ...workOrder, changes: list } })).toEqual([]);
  });

  it('says nothing about types it does not know', () => {
    expect(schemaErrors('api.deprecation', 42)).toEqual([]);
    expect(schemaErrors('__proto__', 42)).toEqual([]);
  });

  it('stops at ten short messages', () => {
    const measurements = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`${index}`.padStart(300, 'x'), true]),
    );
    const errors = schemaErrors('quality.inspection_complete', {
      inspection: { id: 'insp-1', measurements },
    });
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(10);
    for (const error of errors) expect(error.length).toBeLessThanOrEqual(200);
  });

  it('demands nothing of the events whose form no vendor shows', () => {
    const shown = new Set(machshopSamples.map(({ body }) => body.type)).add('downtime.categorized');
    for (const { name, dialect } of eventTypes) {
      if (dialect !== 'hookline' && !shown.has(name)) expect(schemaErrors(name, {})).toEqual([]);
    }
  });
});
