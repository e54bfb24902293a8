type NonEmpty = readonly [unknown, ...unknown[]];

/** Repeatable chance: the same seed gives the same draws. Not for anything secret. */
export interface Random {
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  /** True with this probability, 0 to 1. */
  chance(probability: number): boolean;
  /** One of the items. */
  pick<T extends NonEmpty>(items: T): T[number];
  /** Draws like cards: every item once in random order, then all of them again. Never starves an item. */
  deck<T extends NonEmpty>(items: T): () => T[number];
}

/**
 * @param seed any number; of its value the lowest 32 bits count
 */
export function createRandom(seed: number): Random {
  let state = seed | 0;

  /** From 0 up to, not including, 1: a Weyl sequence whose steps are scrambled (mulberry32). */
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (min: number, max: number): number => min + Math.floor(fraction() * (max - min + 1));

  return {
    integer,
    chance: (probability) => fraction() < probability,
    pick: (items) => items[integer(0, items.length - 1)],
    deck(items) {
      let rest: unknown[] = [];
      return () => {
        if (rest.length === 0) rest = [...items];
        return rest.splice(integer(0, rest.length - 1), 1)[0];
      };
    },
  };
}
