import { describe, expect, it } from 'vitest';
import { isEqualText } from '../../gateway/signing/constant-time.ts';

describe('the comparison of signatures', () => {
  it('tells equal texts from others', () => {
    expect(isEqualText('abc', 'abc')).toBe(true);
    expect(isEqualText('', '')).toBe(true);
    expect(isEqualText('abd', 'abc')).toBe(false);
    expect(isEqualText('ABC', 'abc')).toBe(false);
  });

  it('answers, and does not throw, where the lengths differ as text or only as bytes', () => {
    expect(isEqualText('ab', 'abc')).toBe(false);
    expect(isEqualText('äbc', 'abc')).toBe(false);
    expect(isEqualText('\ud800bc', 'abc')).toBe(false);
  });

  it('does not take a character for the one that shares its low byte', () => {
    expect(isEqualText('\u0161bc', 'abc')).toBe(false);
  });
});
