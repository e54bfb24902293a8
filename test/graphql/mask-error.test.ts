import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import { badInput, HooklineError } from '../../gateway/errors.ts';
import { maskError } from '../../gateway/graphql/mask-error.ts';

function mask(error: unknown) {
  const logged: Record<string, unknown>[] = [];
  const log = { error: (fields: Record<string, unknown>) => logged.push(fields) };
  return { masked: maskError(error, log), logged, again: (other: unknown) => maskError(other, log) };
}

describe('an error', () => {
  it('that the caller can mend keeps its sentence, code, details and place', () => {
    const { masked, logged } = mask(
      new GraphQLError('x', { path: ['events'], originalError: badInput('first', 'Too many.', { most: 5 }) }),
    );
    expect(masked.toJSON()).toEqual({
      message: 'Too many.',
      path: ['events'],
      extensions: { code: 'BAD_USER_INPUT', field: 'first', most: 5 },
    });
    expect(logged).toEqual([]);
  });

  it('is found however deep it lies', () => {
    const cause = new HooklineError('NOT_FOUND', 'There is none.');
    const wrapped = new GraphQLError('y', { originalError: new GraphQLError('x', { originalError: cause }) });
    expect(mask(wrapped).masked.extensions).toEqual({ code: 'NOT_FOUND' });
  });

  it.each([new Error('the password is 1234'), 'the password is 1234', null, { secret: 1234 }])(
    'of ours is hidden behind an id that the log knows: %s',
    (cause) => {
      const { masked, logged } = mask(cause);
      expect(masked.toJSON()).toEqual({
        message: 'Internal error',
        extensions: { code: 'INTERNAL', id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      });
      expect(logged).toEqual([{ err: cause, id: masked.extensions['id'], path: undefined }]);
    },
  );

  it('of the library while it runs is ours too', () => {
    const { masked } = mask(new GraphQLError('Int cannot represent 1.5', { path: ['viewer'] }));
    expect(masked.extensions['code']).toBe('INTERNAL');
  });

  it("of the library before it runs is the client's", () => {
    const { masked, logged } = mask(
      new GraphQLError('Batching is not supported.', {
        extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
      }),
    );
    expect(masked.message).toBe('Batching is not supported.');
    expect(masked.extensions).toEqual({ code: 'BAD_USER_INPUT', http: { status: 400 } });
    expect(logged).toEqual([]);
  });

  it('that is masked stays as it is', () => {
    const { masked, logged, again } = mask(new Error('x'));
    expect(again(masked)).toBe(masked);
    expect(logged).toHaveLength(1);
  });
});
