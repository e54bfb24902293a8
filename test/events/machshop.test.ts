import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParsedEvent } from '../../gateway/events/dialect.ts';
import { MAX_JSON_DEPTH } from '../../gateway/events/json-object.ts';
import { machshop } from '../../gateway/events/machshop.ts';
import samples from '../fixtures/events/machshop-samples.json' with { type: 'json' };

function parse(body: unknown): ParsedEvent {
  return parseText(typeof body === 'string' ? body : JSON.stringify(body));
}

function parseText(text: string): ParsedEvent {
  const result = machshop.parse(Buffer.from(text));
  if (!result.ok) throw new Error(result.problem);
  return result.event;
}

function problemOf(raw: string | Uint8Array): string {
  const result = machshop.parse(typeof raw === 'string' ? Buffer.from(raw) : raw);
  if (result.ok) throw new Error('it was accepted');
  return result.problem;
}

describe('the machshop dialect', () => {
  it.each(samples)('reads $title', ({ body }) => {
    expect(parse(body)).toEqual({
      id: 'id' in body ? body.id : null,
      type: body.type,
      occurredAt: 'timestamp' in body ? Date.parse(body.timestamp ?? '') : null,
      data: body.data,
      machine: null,
      test: false,
    });
  });

  it('reads the notice that has event instead of type and no id', () => {
    const data = { feature: 'v1', sunsetDate: '2026-12-31' };
    expect(parse({ event: 'api.deprecation', timestamp: '2026-03-09T06:00:00Z', data })).toEqual({
      id: null,
      type: 'api.deprecation',
      occurredAt: Date.UTC(2026, 2, 9, 6),
      data,
      machine: null,
      test: false,
    });
  });

  it('reads the member names of the vendor’s other senders', () => {
    const event = parse({ eventId: 'evt_1_ab', eventType: 'WORK_ORDER_CREATED', eventData: { a: 1 } });
    expect(event).toMatchObject({ id: 'evt_1_ab', type: 'work_order.created', data: { a: 1 } });
  });

  it('keeps an unknown type to the letter, and calls a missing one unknown', () => {
    expect(parse({ type: 'Tool_Crib.Empty ', data: {} }).type).toBe('Tool_Crib.Empty ');
    expect(parse({ id: 'evt-1', data: {} }).type).toBe('unknown');
    expect(parse({}).type).toBe('unknown');
    expect(parse({ type: '', event: 7, eventType: null }).type).toBe('unknown');
  });

  it('takes the remaining members as data where there is no data', () => {
    const event = parse({
      id: 'evt-1',
      type: 'shift.started',
      timestamp: '2026-03-09T06:00:00Z',
      shift: 'A',
    });
    expect(event.data).toEqual({ shift: 'A' });
    expect(parse({ type: 'shift.started' }).data).toEqual({});
  });

  it('leaves in the data what it does not understand as a part of the envelope', () => {
    const body = { type: 'a.b', id: { nested: 1 }, timestamp: 'yesterday', test: 'maybe' };
    expect(parse(body).data).toEqual({ id: { nested: 1 }, timestamp: 'yesterday', test: 'maybe' });
  });

  it('keeps data of any kind, null included', () => {
    for (const data of [null, 0, false, 'text', [1, 2]])
      expect(parse({ type: 'a.b', data }).data).toEqual(data);
  });

  it('ignores a signature in the body', () => {
    expect(parse({ type: 'a.b', signature: 'abc', x: 1 }).data).toEqual({ x: 1 });
    expect(parse({ type: 'a.b', signature: 'abc', data: { y: 2 } }).data).toEqual({ y: 2 });
  });

  it('takes text and whole numbers as an id, and nothing else', () => {
    expect(parse({ id: 42 }).id).toBe('42');
    for (const id of ['', 1.5, 2 ** 60, null, true, ['x'], 'x'.repeat(5000), '\ud800']) {
      expect(parse({ id }).id).toBeNull();
    }
  });

  it.each([
    ['2026-03-09T06:00:00Z', Date.UTC(2026, 2, 9, 6)],
    ['2026-03-09T06:00:00.123456Z', Date.UTC(2026, 2, 9, 6, 0, 0, 123)],
    ['2026-03-09T08:00:00+02:00', Date.UTC(2026, 2, 9, 6)],
    ['2026-03-09T08:00:00+0200', Date.UTC(2026, 2, 9, 6)],
    ['2026-03-09T08:00:00+02', Date.UTC(2026, 2, 9, 6)],
    ['2026-03-09T06:00:00', Date.UTC(2026, 2, 9, 6)],
    ['2026-03-09 06:00', Date.UTC(2026, 2, 9, 6)],
    [Date.UTC(2026, 2, 9, 6), Date.UTC(2026, 2, 9, 6)],
    [Date.UTC(2026, 2, 9, 6) / 1000, Date.UTC(2026, 2, 9, 6)],
    ['9 March 2026', null],
    ['2026-13-09T06:00:00Z', null],
    ['2026', null],
    [-5, null],
    [0, null],
    [1e300, null],
    [{}, null],
    [null, null],
  ])('reads the time %j as %j', (timestamp, occurredAt) => {
    expect(parse({ type: 'a.b', timestamp }).occurredAt).toBe(occurredAt);
  });

  it.each([
    [{ machine: { id: 'm-1', name: 'Mill', group: 'G' } }, { id: 'm-1', name: 'Mill', group: 'G' }],
    [{ equipment: { id: 7 } }, { id: '7' }],
    [{ machineId: 'm-2' }, { id: 'm-2' }],
    [{ equipmentId: 'm-3' }, { id: 'm-3' }],
    [{ machine: 'm-4' }, { id: 'm-4' }],
    [{ machine: { name: 'Mill' } }, { id: 'Mill', name: 'Mill' }],
    [{ operation: { id: 'op-1', machineId: 'm-5' } }, { id: 'm-5' }],
    [{ machine: {} }, null],
    [{ machine: null }, null],
    [[], null],
  ])('finds in %j the machine %j', (data, machine) => {
    expect(parse({ type: 'operation.started', data }).machine).toEqual(machine);
  });

  it('recognises tests by flag, id, suffix, data and connection test', () => {
    expect(parse({ type: 'a.b', test: true }).test).toBe(true);
    expect(parse({ type: 'a.b', id: 'evt_test_1' }).test).toBe(true);
    expect(parse({ type: 'WORK_ORDER_CREATED:test', data: {} })).toMatchObject({
      type: 'work_order.created',
      test: true,
    });
    expect(parse({ type: 'work_order.created', data: { test: true, message: 'hello' } }).test).toBe(true);
    expect(parse({ type: 'integration.test.success', data: {} }).test).toBe(true);
    expect(parse({ type: 'a.b', test: 'true', data: { test: 1 } }).test).toBe(false);
    expect(parse({ type: ':test' })).toMatchObject({ type: ':test', test: false });
  });

  it('tolerates a byte order mark', () => {
    expect(parseText('\ufeff{"type":"a.b","data":1}')).toMatchObject({ type: 'a.b', data: 1 });
  });

  it.each([
    ['', 'the body is empty; a JSON object is expected'],
    ['not json', 'the body is not valid JSON'],
    ['{"type":"a.b"', 'the body is not valid JSON'],
    ['[1]', 'the body is valid JSON but not an object'],
    ['null', 'the body is valid JSON but not an object'],
    ['"text"', 'the body is valid JSON but not an object'],
    [Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 'the body is not valid UTF-8'],
  ])('refuses %j', (raw, problem) => {
    expect(problemOf(raw)).toBe(problem);
  });

  it('reads on after bytes that were not UTF-8', () => {
    problemOf(Uint8Array.of(0xe2, 0x82));
    expect(parse({ type: 'a.b' }).type).toBe('a.b');
  });

  it('is not confused by members that have a meaning in JavaScript', () => {
    const text = '{"type":"a.b","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
    const { data } = parseText(text);
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(JSON.stringify(data)).toBe(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    );
    expect('polluted' in {}).toBe(false);
    expect(parseText('{"__proto__":{"type":"a.b","id":"x"}}')).toMatchObject({ type: 'unknown', id: null });
  });

  it('refuses nesting that could not be written again, however deep', () => {
    for (const levels of [MAX_JSON_DEPTH, 200_000]) {
      const text = `{"type":"a.b","data":${'['.repeat(levels)}${']'.repeat(levels)}}`;
      expect(problemOf(text)).toBe('the body is nested more than 500 levels deep');
    }
  });

  it('accepts nesting up to the limit, and brackets in text are none', () => {
    const levels = MAX_JSON_DEPTH - 1;
    const text = `{"type":"a.b","data":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expect(JSON.stringify(parseText(text).data).length).toBe(levels * 2);
    const data = `\\"${'[{'.repeat(1000)}"`;
    expect(parse({ type: 'a.b', data }).data).toBe(data);
  });

  it('does not let text hide nesting from the limit', () => {
    const closing = `"${']'.repeat(50)}"`;
    const text = `{"data":${`[${closing},`.repeat(600)}1${']'.repeat(600)}}`;
    expect(problemOf(text)).toContain('levels deep');
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
        expect(typeof machshop.parse(raw).ok).toBe('boolean');
      }),
    );
  });

  it('accepts every JSON object, and its data can be written again', () => {
    const member = fc.oneof(
      fc.constantFrom(
        'id',
        'type',
        'event',
        'timestamp',
        'data',
        'test',
        'signature',
        'machine',
        '__proto__',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.dictionary(member, fc.jsonValue()), (body) => {
        const event = parse(JSON.stringify(body));
        expect(event.data).not.toBeUndefined();
        expect(JSON.parse(JSON.stringify(event.data))).toEqual(event.data);
        if (event.occurredAt !== null) expect(new Date(event.occurredAt).toISOString()).toBeTypeOf('string');
      }),
    );
  });
});
