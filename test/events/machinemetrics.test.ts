import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParsedEvent } from '../../gateway/events/dialect.ts';
import { machinemetrics } from '../../gateway/events/machinemetrics.ts';
import samples from '../fixtures/events/machinemetrics-samples.json' with { type: 'json' };

function parse(body: unknown): ParsedEvent {
  const result = machinemetrics.parse(Buffer.from(JSON.stringify(body)));
  if (!result.ok) throw new Error(result.problem);
  return result.event;
}

const machine = { id: 'mill-02', name: 'Mill 2', group: 'Milling' };
const timestamp = '2026-03-09T06:00:00Z';

describe('the machinemetrics dialect', () => {
  it.each(samples)('reads $title', ({ body }) => {
    expect(parse(body)).toEqual({
      id: null,
      type: 'downtime.categorized',
      occurredAt: Date.parse(body.timestamp),
      data: { machine: body.machine, downtime: body.downtime, operator: body.operator },
      machine: body.machine,
      test: false,
    });
  });

  it.each([
    ['alarm_triggered', 'alarm.triggered'],
    ['Alarm triggered', 'alarm.triggered'],
    ['operator_triggered', 'workflow.triggered'],
    ['Operator triggers manually', 'workflow.triggered'],
    ['manual', 'workflow.triggered'],
    ['scheduled', 'schedule.fired'],
    ['machine_status_changed', 'machine.status_changed'],
    ['Machine status changes', 'machine.status_changed'],
    ['machine-state-changed', 'machine.status_changed'],
    ['downtime_categorised', 'downtime.categorized'],
    ['part_scrapped', 'part_scrapped'],
  ])('calls %s %s', (event, type) => {
    expect(parse({ event, timestamp, machine }).type).toBe(type);
  });

  it('leaves the vendor’s spelling in the data', () => {
    const downtime = { duration_seconds: 60, reasonCode: 7 };
    expect(parse({ event: 'downtime_categorized', timestamp, machine, downtime }).data).toEqual({
      machine,
      downtime,
    });
  });

  it('reads an envelope of ours as it is', () => {
    const body = { id: 'evt-1', type: 'alarm.triggered', timestamp, data: { machine } };
    expect(parse(body)).toMatchObject({ id: 'evt-1', type: 'alarm.triggered', data: { machine }, machine });
  });

  it('loses nothing where data is one member of many', () => {
    expect(parse({ event: 'alarm', timestamp, machine, data: { code: 1 } })).toMatchObject({
      data: { machine, data: { code: 1 } },
      machine,
    });
  });

  it('finds a machine given by its id alone, and does without one', () => {
    expect(parse({ event: 'alarm', machine_id: 12 }).machine).toEqual({ id: '12' });
    expect(parse({ event: 'scheduled', workflow: {} }).machine).toBeNull();
  });

  it('accepts an object that names no event', () => {
    expect(parse({ hello: 'world' })).toEqual({
      id: null,
      type: 'unknown',
      occurredAt: null,
      data: { hello: 'world' },
      machine: null,
      test: false,
    });
  });

  it('recognises tests by flag and id', () => {
    expect(parse({ event: 'alarm', test: true, machine })).toMatchObject({ test: true, data: { machine } });
    expect(parse({ event: 'alarm', id: 'evt_test_9' }).test).toBe(true);
    expect(parse({ event: 'alarm' }).test).toBe(false);
  });

  it('refuses what is not a JSON object', () => {
    expect(machinemetrics.parse(Buffer.from('[]'))).toEqual({
      ok: false,
      problem: 'the body is valid JSON but not an object',
    });
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (raw) => {
          expect(typeof machinemetrics.parse(raw).ok).toBe('boolean');
        },
      ),
    );
  });
});
