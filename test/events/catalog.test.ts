import { describe, expect, it } from 'vitest';
import { eventTypes, findEventType } from '../../gateway/events/catalog.ts';
import { dialects } from '../../gateway/events/dialects.ts';
import { schemaErrors } from '../../gateway/events/validate.ts';

const vendorTypes = eventTypes.filter(({ dialect }) => dialect !== 'hookline');

describe('the catalogue', () => {
  it('has the ten documented events of the MES to the letter', () => {
    const names = eventTypes.filter(({ dialect }) => dialect === 'machshop').map(({ name }) => name);
    expect(names.toSorted()).toEqual([
      'inventory.material_allocated',
      'inventory.material_consumed',
      'operation.completed',
      'operation.started',
      'quality.inspection_complete',
      'quality.ncr_created',
      'work_order.completed',
      'work_order.created',
      'work_order.started',
      'work_order.updated',
    ]);
  });

  it('has an event for each trigger of the machine monitoring', () => {
    const names = eventTypes.filter(({ dialect }) => dialect === 'machinemetrics').map(({ name }) => name);
    expect(names).toEqual([
      'downtime.categorized',
      'alarm.triggered',
      'workflow.triggered',
      'schedule.fired',
      'machine.status_changed',
    ]);
  });

  it('has the operational events', () => {
    const names = eventTypes.filter(({ dialect }) => dialect === 'hookline').map(({ name }) => name);
    expect(names.toSorted()).toEqual([
      'hookline.backlog.old',
      'hookline.delivery.cancelled',
      'hookline.delivery.exhausted',
      'hookline.delivery.expired',
      'hookline.delivery.failed',
      'hookline.delivery.rejected',
      'hookline.delivery.succeeded',
      'hookline.endpoint.disabled',
      'hookline.source.signature_rejected',
      'hookline.source.silent',
      'hookline.store.unavailable',
    ]);
  });

  it('names every type once, and finds it by that name only', () => {
    expect(new Set(eventTypes.map(({ name }) => name)).size).toBe(eventTypes.length);
    for (const type of eventTypes) expect(findEventType(type.name)).toBe(type);
    expect(findEventType('work-order.created')).toBeUndefined();
    expect(findEventType('constructor')).toBeUndefined();
  });

  it('gives every example an id of its own', () => {
    expect(new Set(eventTypes.map(({ example }) => example.id)).size).toBe(eventTypes.length);
  });
});

describe.each(eventTypes)('the example of $name', ({ name, example, description }) => {
  it('is an envelope of that type whose data its own schema accepts', () => {
    expect(Object.keys(example)).toEqual(['id', 'type', 'timestamp', 'data']);
    expect(example.type).toBe(name);
    expect(new Date(example.timestamp).toISOString()).toBe(example.timestamp);
    expect(description).not.toBe('');
    expect(schemaErrors(name, example.data)).toEqual([]);
  });
});

describe.each(vendorTypes)('the example of $name', ({ example, dialect }) => {
  it('comes back from its dialect as it was', () => {
    if (dialect === 'hookline') throw new Error('not a vendor type');
    const result = dialects[dialect].parse(Buffer.from(JSON.stringify(example)));
    expect(result).toMatchObject({
      ok: true,
      event: {
        id: example.id,
        type: example.type,
        occurredAt: Date.parse(example.timestamp),
        data: example.data,
        test: false,
      },
    });
  });
});
