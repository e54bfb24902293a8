import { describe, expect, it } from 'vitest';
import { pageList } from '../../gateway/graphql/list-paging.ts';
import type { ConnectionArgs } from '../../gateway/graphql/paging.ts';

const rows = [3, 1, 2, 2].map((at, place) => ({ id: `row${place}`, at }));

function page(args: ConnectionArgs, order: 'oldest' | 'newest' = 'oldest', list = rows) {
  const { edges, pageInfo, liveCursor } = pageList(list, { order, at: ({ at }) => at }, args, 'e.1');
  expect(liveCursor).toBe('e.1');
  return { ids: edges.map(({ node }) => node.id), cursors: edges.map(({ cursor }) => cursor), ...pageInfo };
}

describe('a page of a list in memory', () => {
  it('is ordered by time, then by id, either way', () => {
    expect(page({}).ids).toEqual(['row1', 'row2', 'row3', 'row0']);
    expect(page({}, 'newest').ids).toEqual(['row0', 'row3', 'row2', 'row1']);
  });

  it('goes on where the one before ended, either way', () => {
    const first = page({ first: 3 }, 'newest');
    expect(first).toMatchObject({ ids: ['row0', 'row3', 'row2'], hasNextPage: true, hasPreviousPage: false });
    const second = page({ first: 3, after: first.endCursor }, 'newest');
    expect(second).toMatchObject({ ids: ['row1'], hasNextPage: false, hasPreviousPage: true });
    const back = page({ last: 2, before: second.startCursor }, 'newest');
    expect(back).toMatchObject({ ids: ['row3', 'row2'], hasNextPage: true, hasPreviousPage: true });
  });

  it('goes on from a row that is gone meanwhile', () => {
    const { endCursor } = page({ first: 2 });
    const left = rows.filter(({ id }) => id !== 'row2');
    expect(page({ after: endCursor }, 'oldest', left).ids).toEqual(['row3', 'row0']);
  });

  it('is empty beyond the end', () => {
    const { endCursor } = page({});
    expect(page({ after: endCursor })).toMatchObject({
      ids: [],
      startCursor: null,
      endCursor: null,
      hasNextPage: false,
    });
  });

  it.each([{ after: 'what?' }, { after: '' }, { before: '.x' }])('is not there beyond %j', (args) => {
    expect(() => page(args)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', details: { field: Object.keys(args)[0] } }),
    );
  });
});
