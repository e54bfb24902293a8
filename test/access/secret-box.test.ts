import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkSecretKey, createSecretBox, parseSecretKey } from '../../gateway/access/secret-box.ts';
import { systemClock } from '../../gateway/clock.ts';
import { createMemoryRecords } from '../support/memory-records.ts';

const KEY = Buffer.alloc(32, 7);
const box = createSecretBox(KEY.toString('base64'), randomBytes);

describe('sealing', () => {
  it('opens what it sealed, whatever text it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (secret, purpose) => {
        expect(box.open(box.seal(secret, purpose), purpose)).toBe(secret);
      }),
    );
  });

  it('seals the same secret differently each time and shows nothing of it', () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const first = box.seal(secret, 'endpoint/ep_1');
    expect(first).toMatch(/^v1:[A-Za-z0-9+/]+=*$/);
    expect(first).not.toBe(box.seal(secret, 'endpoint/ep_1'));
    expect(Buffer.from(first.slice(3), 'base64').toString('latin1')).not.toContain('MfKQ9r8');
  });

  it('does not open a secret for another purpose than it was sealed for', () => {
    const sealed = box.seal('a secret', 'endpoint/ep_1');
    expect(() => box.open(sealed, 'endpoint/ep_2')).toThrow(/endpoint\/ep_2 cannot be opened/);
  });

  it('does not open what was changed in any place, and never with an unexpected error', () => {
    const sealed = box.seal('a secret', 'endpoint/ep_1');
    const bytes = Buffer.from(sealed.slice(3), 'base64');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = changed[index]! ^ 1;
      expect(() => box.open(`v1:${changed.toString('base64')}`, 'endpoint/ep_1')).toThrow(
        expect.objectContaining({ code: 'CONFIGURATION' }),
      );
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const given of [text, `v1:${text}`]) {
          expect(() => box.open(given, 'x')).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
        }
      }),
    );
  });

  it('opens with the same key in any of its spellings', () => {
    const sealed = box.seal('a secret', 'x');
    const spellings = [
      KEY.toString('hex'),
      KEY.toString('hex').toUpperCase(),
      KEY.toString('base64'),
      KEY.toString('base64url'),
      `${KEY.toString('base64')}\n`,
    ];
    for (const spelling of spellings)
      expect(createSecretBox(spelling, randomBytes).open(sealed, 'x')).toBe('a secret');
  });
});

describe('the secret key', () => {
  it('is refused with what is accepted, and without being shown, where it has not 32 bytes', () => {
    for (const wrong of [
      '',
      'secret',
      KEY.subarray(1).toString('hex'),
      Buffer.alloc(33, 1).toString('base64'),
      'x'.repeat(64),
    ]) {
      expect(() => parseSecretKey(wrong)).toThrow(/HOOKLINE_SECRET_KEY.*64 hex digits or as base64/);
      if (wrong !== '') expect(() => parseSecretKey(wrong)).not.toThrow(wrong);
    }
  });

  it('is accepted at the first start and at each later one', async () => {
    const records = createMemoryRecords(systemClock);
    await checkSecretKey(records, box);
    await checkSecretKey(records, createSecretBox(KEY.toString('hex'), randomBytes));
    expect(records.commits).toBe(1);
  });

  it('stops a later start where it is another one, and says what to restore', async () => {
    const records = createMemoryRecords(systemClock);
    await checkSecretKey(records, box);
    const other = createSecretBox(Buffer.alloc(32, 8).toString('hex'), randomBytes);
    await expect(checkSecretKey(records, other)).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/HOOKLINE_SECRET_KEY.*Restore the key file/) as unknown,
    });
  });

  it('is checked against the first process where two start at the same time', async () => {
    const records = createMemoryRecords(systemClock);
    const other = createSecretBox(Buffer.alloc(32, 8).toString('hex'), randomBytes);
    const starts = await Promise.allSettled([checkSecretKey(records, box), checkSecretKey(records, other)]);
    expect(starts.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });
});
