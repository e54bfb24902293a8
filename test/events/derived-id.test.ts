import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { derivedEventId, isTestEventId, testEventId } from '../../gateway/events/derived-id.ts';

const body = Buffer.from('{"event":"alarm"}');

describe('derivedEventId', () => {
  it('is the same for the same bytes through the same source', () => {
    expect(derivedEventId('machinemetrics', body)).toBe(derivedEventId('machinemetrics', Buffer.from(body)));
  });

  it('is 32 hexadecimal digits of the hash of source, zero byte and bytes', () => {
    const hash = createHash('sha256').update(`line-2\0${body.toString()}`).digest('hex');
    expect(derivedEventId('line-2', body)).toBe(`evt_${hash.slice(0, 32)}`);
  });

  it('differs between sources, between bytes, and where the border between them moves', () => {
    const ids = [
      derivedEventId('ab', Buffer.from('c')),
      derivedEventId('a', Buffer.from('bc')),
      derivedEventId('ab', Buffer.from('d')),
      derivedEventId('b', Buffer.from('c')),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('never looks like a test', () => {
    expect(isTestEventId(derivedEventId('mes', body))).toBe(false);
  });
});

describe('testEventId', () => {
  it('marks its event as a test', () => {
    expect(testEventId('x7')).toBe('evt_test_x7');
    expect(isTestEventId(testEventId('x7'))).toBe(true);
    expect(isTestEventId(null)).toBe(false);
  });
});
