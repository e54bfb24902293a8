/** Lets a test wait until what it watches has come to a certain state. */
export interface ChangeSignal {
  /** Something changed: the conditions that are waited for are looked at again. */
  changed(): void;
  /**
   * Resolves with the first value of `read` that is neither undefined, null nor false.
   * @throws after `limitMs`, naming what was waited for.
   */
  until<Value>(
    what: string,
    read: () => Value,
    limitMs?: number,
  ): Promise<NonNullable<Exclude<Value, false>>>;
}

export function createChangeSignal(): ChangeSignal {
  const waiters = new Set<() => void>();
  return {
    changed: () => {
      for (const look of waiters) look();
    },
    until: (what, read, limitMs = 10_000) =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          clearTimeout(timer);
          waiters.delete(look);
        };
        const look = (): void => {
          try {
            const value = read();
            if (value === undefined || value === null || value === false) return;
            end();
            resolve(value as NonNullable<Exclude<typeof value, false>>);
          } catch (error) {
            end();
            reject(error);
          }
        };
        const timer = setTimeout(() => {
          end();
          reject(new Error(`Waited ${limitMs} ms in vain for: ${what}`));
        }, limitMs);
        waiters.add(look);
        look();
      }),
  };
}
