import { describe, expect, it } from 'vitest';
import { normaliseAlarmSeverity, normaliseNcrSeverity } from '../../gateway/events/severity.ts';

describe('normaliseNcrSeverity', () => {
  it.each([
    ['MINOR', 'MINOR'],
    ['major', 'MAJOR'],
    [' Critical ', 'CRITICAL'],
    ['HIGH', 'CRITICAL'],
    ['LOW', 'MINOR'],
    ['purple', 'UNKNOWN'],
    ['', 'UNKNOWN'],
    [null, 'UNKNOWN'],
    [3, 'UNKNOWN'],
    ['constructor', 'UNKNOWN'],
  ])('makes %j %s', (word, severity) => {
    expect(normaliseNcrSeverity(word)).toBe(severity);
  });
});

describe('normaliseAlarmSeverity', () => {
  it.each([
    [1, 'MESSAGE'],
    [333, 'MESSAGE'],
    [334, 'WARNING'],
    [666, 'WARNING'],
    [667, 'ERROR'],
    [1000, 'ERROR'],
    ['700', 'ERROR'],
    [0, 'UNKNOWN'],
    [1001, 'UNKNOWN'],
    [Number.NaN, 'UNKNOWN'],
    ['info', 'MESSAGE'],
    ['Warning', 'WARNING'],
    ['FAULT', 'ERROR'],
    ['CRITICAL', 'ERROR'],
    ['purple', 'UNKNOWN'],
    [undefined, 'UNKNOWN'],
    [{}, 'UNKNOWN'],
  ])('makes %j %s', (word, severity) => {
    expect(normaliseAlarmSeverity(word)).toBe(severity);
  });
});
