import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestGateway } from './support/test-gateway.ts';
import type { TestGateway } from './support/test-gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

/** Unique per test, so that they pass in any order. */
let type: string;
let made = 0;
beforeEach(() => {
  made += 1;
  type = `connection.test_${made}`;
});

async function storeEvents(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let made = 0; made < count; made += 1) ids.push(await gateway.storeEvent({ type }));
  return ids;
}

const EVENTS = `query Events($first: Int, $after: String, $last: Int, $before: String, $types: [String!]) {
  events(first: $first, after: $after, last: $last, before: $before, filter: { types: $types }) {
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    liveCursor
  }
}`;

describe('a connection over the store', () => {
  it('shows the newest first, and the next page begins where the last one ended', async () => {
    const ids = await storeEvents(5);
    const first = await gateway.ask(EVENTS, { first: 3, types: [type] });
    expect(first.data.events.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual([
      ids[4],
      ids[3],
      ids[2],
    ]);
    expect(first.data.events.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });

    const { endCursor } = first.data.events.pageInfo;
    const second = await gateway.ask(EVENTS, { first: 3, after: endCursor, types: [type] });
    expect(second.data.events.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual([
      ids[1],
      ids[0],
    ]);
    expect(second.data.events.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });

  it('pages back from a cursor and from the end, in the same order', async () => {
    const ids = await storeEvents(5);
    const all = await gateway.ask(EVENTS, { types: [type] });
    const cursors = all.data.events.edges.map(({ cursor }: { cursor: string }) => cursor);

    const back = await gateway.ask(EVENTS, { last: 2, before: cursors[3], types: [type] });
    expect(back.data.events.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual([
      ids[3],
      ids[2],
    ]);
    expect(back.data.events.pageInfo).toEqual({
      hasNextPage: true,
      hasPreviousPage: true,
      startCursor: cursors[1],
      endCursor: cursors[2],
    });

    const end = await gateway.ask(EVENTS, { last: 2, types: [type] });
    expect(end.data.events.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual([
      ids[1],
      ids[0],
    ]);
    expect(end.data.events.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });

  it.each([
    [{ first: 0 }, 'first'],
    [{ first: 501 }, 'first'],
    [{ last: -1 }, 'last'],
    [{ first: 1, last: 1 }, 'last'],
    [{ after: 'x', before: 'y' }, 'before'],
  ])('refuses %j and names the argument', async (args, field) => {
    const { errors } = await gateway.ask(EVENTS, args);
    expect(errors).toMatchObject([{ path: ['events'], extensions: { code: 'BAD_USER_INPUT', field } }]);
  });

  it('refuses a cursor that is none, and says so when one is of another epoch', async () => {
    const none = await gateway.ask(EVENTS, { after: 'what?' });
    expect(none.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'after' } }]);
    const other = await gateway.ask(EVENTS, { after: 'another.1' });
    expect(other.errors).toMatchObject([
      { extensions: { code: 'CURSOR_EXPIRED', oldestCursor: expect.any(String) } },
    ]);
  });
});

describe('a list in memory', () => {
  it('pages endpoints both ways, oldest first', async () => {
    const ids: string[] = [];
    for (const name of ['one', 'two', 'three']) {
      const applied = await gateway.services.flows.apply({
        owner: `${type}/${name}`,
        endpoints: [{ key: 'node', kind: 'FLOW', events: [type] }],
      });
      ids.push(applied[0]!.endpoint.id);
    }
    const query = `query($first: Int, $after: String, $last: Int, $before: String) {
      endpoints(first: $first, after: $after, last: $last, before: $before, filter: { kinds: [FLOW] }) {
        edges { cursor node { id declaredBy { owner } } }
        pageInfo { hasNextPage hasPreviousPage }
        liveCursor
      }
    }`;
    const all = await gateway.ask(query, {});
    const seen = all.data.endpoints.edges.map(({ node }: { node: { id: string } }) => node.id);
    expect(seen.filter((id: string) => ids.includes(id))).toEqual(ids);
    expect(all.data.endpoints.liveCursor).toBe(await gateway.store.head());

    const middle = all.data.endpoints.edges.find(
      ({ node }: { node: { id: string } }) => node.id === ids[1],
    ).cursor;
    const after = await gateway.ask(query, { first: 1, after: middle });
    expect(after.data.endpoints.edges[0].node).toEqual({
      id: ids[2],
      declaredBy: { owner: `${type}/three` },
    });
    const before = await gateway.ask(query, { last: 1, before: middle });
    expect(before.data.endpoints.edges[0].node.id).toBe(ids[0]);
  });

  it('shows what the inspector got', async () => {
    const bin = await gateway.ask('mutation { createInspectBin { id url } }');
    const { id, url } = bin.data.createInspectBin;
    expect(url).toBe(`http://localhost:4000/inspect/${id}`);
    const page = await gateway.ask(
      'query($bin: ID!) { inspectRequests(bin: $bin) { edges { node { id } } liveCursor } }',
      { bin: id },
    );
    expect(page.data.inspectRequests).toEqual({ edges: [], liveCursor: await gateway.store.head() });
  });
});
