import { describe, expect, it } from 'vitest';
import { dialects, findDialect } from '../../gateway/events/dialects.ts';

describe('the dialects', () => {
  it('are found by name', () => {
    expect(findDialect('machshop')).toBe(dialects.machshop);
    expect(findDialect('machinemetrics')).toBe(dialects.machinemetrics);
    expect(findDialect('toString')).toBeUndefined();
  });

  it('carry their own names', () => {
    for (const [name, dialect] of Object.entries(dialects)) expect(dialect.name).toBe(name);
  });

  it('sign by default as the MES documents it, and as plainly as possible elsewhere', () => {
    const plain = { prefix: '', encoding: 'hex', digest: 'sha256', template: '{body}' };
    expect(dialects.machshop.signatureDefaults).toEqual({ headerName: 'x-mes-signature', ...plain });
    expect(dialects.machinemetrics.signatureDefaults).toEqual({
      headerName: 'x-machinemetrics-signature',
      ...plain,
    });
  });
});
