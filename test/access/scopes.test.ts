import { expect, it } from 'vitest';
import { hasScope, isScope, requireScope } from '../../gateway/access/scopes.ts';
import { SCOPES } from '../../gateway/services.ts';

it('lets admin do everything', () => {
  for (const scope of SCOPES) expect(hasScope(new Set(['admin']), scope)).toBe(true);
});

it('gives a flow what its nodes need, and no more', () => {
  const implied = SCOPES.filter((scope) => hasScope(new Set(['flow']), scope));
  expect(implied).toEqual(['events:publish', 'events:read', 'webhooks:read', 'flow']);
  expect(hasScope(new Set(['flow']), 'webhooks:write', 'flow')).toBe(true);
});

it('does not let one scope stand for another', () => {
  expect(hasScope(new Set(['webhooks:write']), 'webhooks:read')).toBe(false);
  expect(hasScope(new Set(), 'events:read')).toBe(false);
});

it('says whether a key is missing or lacks the scope, and which', () => {
  expect(() => requireScope(null, 'events:read')).toThrow(
    expect.objectContaining({ code: 'UNAUTHENTICATED' }) as Error,
  );
  const principal = { keyId: 'key_1', name: 'line 4', scopes: new Set(['events:read'] as const) };
  expect(() => requireScope(principal, 'webhooks:write', 'flow')).toThrow(
    expect.objectContaining({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/"line 4".*webhooks:write or flow/) as unknown,
    }) as Error,
  );
  expect(() => requireScope(principal, 'events:read')).not.toThrow();
});

it('knows the names of scopes', () => {
  expect(isScope('metrics:read')).toBe(true);
  expect(isScope('toString')).toBe(false);
});
