import { describe, expect, it } from 'vitest';
import { eventTypes } from '../../gateway/events/catalog.ts';
import type { ParsedEvent } from '../../gateway/events/dialect.ts';
import { dialects } from '../../gateway/events/dialects.ts';
import { schemaErrors } from '../../gateway/events/validate.ts';
import type { ShopFloorEvent } from '../../gateway/simulate/floor.ts';
import { simulateShopFloor } from '../../gateway/simulate/shop-floor.ts';

const startAt = Date.UTC(2026, 2, 9, 5);

function take(count: number, options: { seed: number; machines?: number }): ShopFloorEvent[] {
  const events: ShopFloorEvent[] = [];
  for (const event of simulateShopFloor({ startAt, ...options })) {
    if (events.push(event) === count) break;
  }
  return events;
}

function parse({ source, body }: ShopFloorEvent): ParsedEvent {
  const dialect = source === 'mes' ? dialects.machshop : dialects.machinemetrics;
  const result = dialect.parse(Buffer.from(body));
  if (!result.ok) throw new Error(result.problem);
  return result.event;
}

interface WorkOrderData {
  workOrder: { id: string };
  operation: { workOrderId: string; actualDuration: number };
  inspection: { workOrderId: string; result: string };
  ncr: { workOrderId: string };
  movement: { workOrderId: string };
}

describe('simulateShopFloor', () => {
  it.each([1, 4, 12])('sends every catalogued type within 400 events on %i machines', (machines) => {
    const expected = eventTypes.filter(({ dialect }) => dialect !== 'hookline').map(({ name }) => name);
    for (const seed of [0, 1, 2, 3, -7, 123_456_789_012]) {
      const sent = new Set(take(400, { seed, machines }).map((event) => parse(event).type));
      expect([...sent].toSorted()).toEqual(expected.toSorted());
    }
  });

  it('gives the same events for the same seed and others for another', () => {
    expect(take(300, { seed: 5 })).toEqual(take(300, { seed: 5 }));
    const bodies = take(300, { seed: 5 }).map(({ body }) => body);
    expect(take(300, { seed: 6 }).map(({ body }) => body)).not.toEqual(bodies);
  });

  it('goes forward in time, from the start on, and its payloads say so', () => {
    let previous = startAt - 1;
    for (const event of take(1000, { seed: 2 })) {
      expect(event.at).toBeGreaterThan(previous);
      expect(parse(event).occurredAt).toBe(event.at);
      previous = event.at;
    }
  });

  it('repeats no id and no payload', () => {
    const events = take(2000, { seed: 3 });
    expect(new Set(events.map(({ body }) => body)).size).toBe(events.length);
    const ids = events.filter(({ source }) => source === 'mes').map((event) => parse(event).id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids[0]).toBe('evt-3-1');
  });

  it('sends what the schemas describe, and no tests', () => {
    for (const event of take(500, { seed: 4 })) {
      const { type, data, test } = parse(event);
      expect(schemaErrors(type, data)).toEqual([]);
      expect(test).toBe(false);
    }
  });

  it('tells the life of a work order in its order', () => {
    const lives = new Map<string, string[]>();
    for (const event of take(1500, { seed: 8 })) {
      if (event.source !== 'mes') continue;
      const { type, data } = parse(event);
      const { workOrder, operation, inspection, ncr, movement } = data as Partial<WorkOrderData>;
      const id = workOrder?.id ?? (operation ?? inspection ?? ncr ?? movement)?.workOrderId ?? '';
      lives.set(id, [...(lives.get(id) ?? []), inspection ? `${type} ${inspection.result}` : type]);
    }
    const operation = 'operation.started inventory.material_consumed operation.completed';
    const life = new RegExp(
      `^work_order.created inventory.material_allocated work_order.started (${operation} ){1,2}` +
        'quality.inspection_complete (PASS|FAIL quality.ncr_created) work_order.updated work_order.completed$',
    );
    const whole = [...lives.values()].filter((events) => events.includes('work_order.completed'));
    expect(whole.length).toBeGreaterThan(20);
    for (const events of whole) expect(events.join(' ')).toMatch(life);
  });

  it('tells each machine’s states without a gap', () => {
    const states = new Map<string, string>();
    for (const event of take(1500, { seed: 9 })) {
      const { type, data, machine } = parse(event);
      if (type !== 'machine.status_changed' || machine === null) continue;
      const { status } = data as { status: { previous: string; current: string } };
      expect(status.previous).toBe(states.get(machine.id) ?? 'READY');
      expect(status.current).not.toBe(status.previous);
      states.set(machine.id, status.current);
    }
    expect([...states.keys()]).toHaveLength(4);
  });

  it('categorises stops in time, late and anew', () => {
    const stoppedAt = new Map<string, number>();
    const running = new Map<string, boolean>();
    const kinds = new Set<string>();
    for (const event of take(3000, { seed: 10 })) {
      const { type, data, machine } = parse(event);
      if (machine === null) continue;
      if (type === 'machine.status_changed') {
        const { current } = (data as { status: { current: string } }).status;
        if (current === 'ACTIVE') running.set(machine.id, true);
        else if (current !== 'READY') {
          running.set(machine.id, false);
          stoppedAt.set(machine.id, event.at);
        }
      } else if (type === 'downtime.categorized') {
        const { downtime } = data as { downtime: { duration_seconds: number; notes: string } };
        expect(downtime.duration_seconds).toBeGreaterThan(0);
        if (downtime.notes === 'Category corrected') kinds.add('anew');
        else kinds.add(running.get(machine.id) === true ? 'late' : 'in time');
      }
    }
    expect([...kinds].toSorted()).toEqual(['anew', 'in time', 'late']);
  });

  it('names as many machines as there are', () => {
    const machines = take(1500, { seed: 11, machines: 6 }).map((event) => parse(event).machine?.name);
    expect([...new Set(machines)].filter((name) => name !== undefined).toSorted()).toEqual([
      'Assembly station 1',
      'Lathe 1',
      'Lathe 2',
      'Mill 1',
      'Mill 2',
      'Weld cell 1',
    ]);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a floor of %d machines', (machines) => {
    expect(() => simulateShopFloor({ seed: 1, startAt, machines })).toThrow(/1 machine or more/);
  });
});
