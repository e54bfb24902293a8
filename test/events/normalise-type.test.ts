import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventTypes } from '../../gateway/events/catalog.ts';
import { normaliseTriggerName, normaliseType } from '../../gateway/events/normalise-type.ts';

const vendorNames = eventTypes.filter(({ dialect }) => dialect !== 'hookline').map(({ name }) => name);

describe('normaliseType', () => {
  it.each(vendorNames)('knows the spellings of %s', (name) => {
    const spellings = [
      name,
      name.replaceAll('_', '-'),
      name.replaceAll('_', ''),
      name.replaceAll('_', '.'),
      name.replaceAll('.', '_').toUpperCase(),
    ];
    expect(spellings.map(normaliseType)).toEqual(spellings.map(() => name));
  });

  it('knows the four spellings that one vendor has for one event', () => {
    for (const name of [
      'work_order.created',
      'work-order.created',
      'workorder.created',
      'WORK_ORDER_CREATED',
    ]) {
      expect(normaliseType(name)).toBe('work_order.created');
    }
  });

  it('knows names with a part more', () => {
    expect(normaliseType('quality.inspection.completed')).toBe('quality.inspection_complete');
    expect(normaliseType('QUALITY_INSPECTION_COMPLETED')).toBe('quality.inspection_complete');
    expect(normaliseType('quality.ncr.created')).toBe('quality.ncr_created');
  });

  it.each([
    'work-order.cancelled',
    'WORK_ORDER_STATUS_CHANGED',
    'material.issued',
    'quality.inspection.failed',
    'resource.equipment.status.changed',
    'EQUIPMENT_DOWNTIME_ALERT',
    'wörk_order.created',
    'manual',
    'scheduled',
    'HOOKLINE_DELIVERY_FAILED',
    'hookline-delivery.failed',
    'constructor',
    '__proto__',
    '',
  ])('keeps %j to the letter', (name) => {
    expect(normaliseType(name)).toBe(name);
  });

  it('gives a name it has normalised unchanged', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom(...vendorNames)), (name) => {
        for (const normalise of [normaliseType, normaliseTriggerName]) {
          expect(normalise(normalise(name))).toBe(normalise(name));
        }
      }),
    );
  });
});
