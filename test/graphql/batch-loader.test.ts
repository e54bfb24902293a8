import { describe, expect, it } from 'vitest';
import { createBatchLoader } from '../../gateway/graphql/batch-loader.ts';

function createCountingLoader() {
  const asked: (readonly string[])[] = [];
  const load = createBatchLoader((ids) => {
    asked.push(ids);
    return Promise.resolve(ids.map((id) => (id === 'none' ? null : `row ${id}`)));
  });
  return { asked, load };
}

describe('a batch loader', () => {
  it('asks once for what is wanted at the same moment, and once for each id', async () => {
    const { asked, load } = createCountingLoader();
    expect(await Promise.all([load('a'), load('b'), load('a'), load('none')])).toEqual([
      'row a',
      'row b',
      'row a',
      null,
    ]);
    expect(asked).toEqual([['a', 'b', 'none']]);
  });

  it('collects what is wanted one promise later too', async () => {
    const { asked, load } = createCountingLoader();
    await Promise.all([load('a'), Promise.resolve().then(() => load('b'))]);
    expect(asked).toEqual([['a', 'b']]);
  });

  it('asks again for what is wanted again later, so that nothing is stale', async () => {
    const { asked, load } = createCountingLoader();
    await load('a');
    await load('a');
    expect(asked).toEqual([['a'], ['a']]);
  });

  it('asks for many in several batches', async () => {
    const { asked, load } = createCountingLoader();
    const ids = Array.from({ length: 1201 }, (_, place) => String(place));
    const rows = await Promise.all(ids.map((id) => load(id)));
    expect(rows.at(-1)).toBe('row 1200');
    expect(asked.map(({ length }) => length)).toEqual([500, 500, 201]);
  });

  it('fails for all that asked, and goes on afterwards', async () => {
    let fails = true;
    const load = createBatchLoader((ids) =>
      fails ? Promise.reject(new Error('closed')) : Promise.resolve(ids),
    );
    const outcomes = await Promise.allSettled([load('a'), load('b')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await load('a')).toBe('a');
  });
});
