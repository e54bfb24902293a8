import { describe, expect, it } from 'vitest';
import { streamItems } from '../../gateway/graphql/item-stream.ts';
import { PushQueue } from '../../gateway/store/push-queue.ts';

/** A source that is fed by the test and remembers how it was treated. */
function createSource() {
  const queue = new PushQueue<readonly number[]>();
  const seen = { pulls: 0, returned: false, aborted: false };
  return {
    seen,
    push: (...batch: number[]) => queue.push(batch),
    close: (error?: Error) => queue.close(error),
    open: (signal: AbortSignal): AsyncIterable<readonly number[]> => {
      signal.addEventListener('abort', () => (seen.aborted = true));
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => {
            seen.pulls += 1;
            return queue.next();
          },
          return: () => {
            seen.returned = true;
            return queue.return();
          },
        }),
      };
    },
  };
}

const even = (number: number): number | null => (number % 2 === 0 ? number : null);

describe('a stream of items', () => {
  it('takes batches apart and leaves out what is not picked', async () => {
    const source = createSource();
    const stream = streamItems(source.open, even, null);
    source.push(1, 2);
    source.push(3);
    source.push(4, 5, 6);
    source.close();
    const items: number[] = [];
    for await (const item of stream) items.push(item);
    expect(items).toEqual([2, 4, 6]);
  });

  it('asks for the next batch only when the last one is used up', async () => {
    const source = createSource();
    const stream = streamItems(source.open, even, null);
    source.push(2, 4);
    source.push(6);
    expect(source.seen.pulls).toBe(0);
    await stream.next();
    await stream.next();
    expect(source.seen.pulls).toBe(1);
    expect(await stream.next()).toEqual({ done: false, value: 6 });
    expect(source.seen.pulls).toBe(2);
  });

  it('lets go of its source at once while it waits for the next batch', async () => {
    const source = createSource();
    const stream = streamItems(source.open, even, null);
    const waiting = stream.next();
    await stream.return!();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(source.seen).toMatchObject({ returned: true, aborted: true });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('says that it has ended when its source has let go', async () => {
    const letGo = Promise.withResolvers<void>();
    const order: string[] = [];
    const stream = streamItems<number, number>(
      () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise(() => undefined),
          return: async () => {
            await letGo.promise;
            order.push('let go');
            return { done: true, value: undefined };
          },
        }),
      }),
      even,
      null,
    );
    const waiting = stream.next().then(() => order.push('answered'));
    const returned = stream.return!().then(() => order.push('returned'));
    await waiting;
    letGo.resolve();
    await returned;
    expect(order).toEqual(['answered', 'let go', 'returned']);
  });

  it('ends though its source fails while it closes', async () => {
    const stream = streamItems<number, number>(
      () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise(() => undefined),
          return: () => Promise.reject(new Error('too late')),
        }),
      }),
      even,
      null,
    );
    expect(await stream.return!()).toEqual({ done: true, value: undefined });
  });

  it('hands out nothing more of a batch once it has ended', async () => {
    const source = createSource();
    const stream = streamItems(source.open, even, null);
    source.push(2, 4);
    await stream.next();
    await stream.return!();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('passes on how its source failed, and has let go of it then', async () => {
    const source = createSource();
    const stream = streamItems(source.open, even, null);
    source.close(new Error('gone'));
    await expect(stream.next()).rejects.toThrow('gone');
    expect(source.seen.aborted).toBe(true);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('ends with the signal it was given, also with one that has passed', async () => {
    const stop = new AbortController();
    const source = createSource();
    const waiting = streamItems(source.open, even, stop.signal).next();
    stop.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    const late = createSource();
    expect(await streamItems(late.open, even, stop.signal).next()).toEqual({ done: true, value: undefined });
    expect(late.seen).toMatchObject({ pulls: 0, aborted: true });
  });
});
