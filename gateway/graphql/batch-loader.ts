/** How many ids are asked for at a time. */
const LARGEST_BATCH = 500;

/**
 * Turns many questions for one row each, asked while a result is put together, into few questions for many rows.
 * It keeps no answers: a subscription lives long, and what it shows must be as fresh as its frame.
 * @param loadMany answers in the order asked
 */
export function createBatchLoader<Value>(
  loadMany: (ids: readonly string[]) => Promise<readonly Value[]>,
): (id: string) => Promise<Value> {
  let collecting: { ids: Set<string>; answers: Promise<Map<string, Value>> } | null = null;

  const loadAll = async (ids: Set<string>): Promise<Map<string, Value>> => {
    await endOfTurn();
    collecting = null;
    const asked = [...ids];
    const answers = new Map<string, Value>();
    for (let start = 0; start < asked.length; start += LARGEST_BATCH) {
      const slice = asked.slice(start, start + LARGEST_BATCH);
      const values = await loadMany(slice);
      for (const [place, id] of slice.entries()) answers.set(id, values[place] as Value);
    }
    return answers;
  };

  return async (id) => {
    if (collecting === null) {
      const ids = new Set<string>();
      collecting = { ids, answers: loadAll(ids) };
    }
    collecting.ids.add(id);
    const answers = await collecting.answers;
    return answers.get(id) as Value;
  };
}

/** After all resolvers that can run now have run: their promises settle before the next tick does. */
async function endOfTurn(): Promise<void> {
  await Promise.resolve();
  await new Promise<void>((resolve) => {
    process.nextTick(resolve);
  });
}
