import { lookup } from 'node:dns/promises';

/** All addresses of a name, A and AAAA; rejects where the name does not resolve. */
export type Lookup = (hostname: string) => Promise<readonly string[]>;

/**
 * The machine's own resolver, hosts file included: plants name their machines there.
 * The order is the resolver's.
 */
export const systemLookup: Lookup = async (hostname) => {
  const answers = await lookup(hostname, { all: true, order: 'verbatim' });
  return answers.map((answer) => answer.address);
};

/**
 * Lets look-ups of one name that overlap share one answer, so that 64 connections opened at once do not
 * occupy the few threads of the system resolver 64 times. Nothing is kept once the answer is there.
 */
export function shareLookups(lookup: Lookup): Lookup {
  const pending = new Map<string, Promise<readonly string[]>>();
  return (hostname) => {
    let answer = pending.get(hostname);
    if (answer === undefined) {
      answer = lookup(hostname).finally(() => pending.delete(hostname));
      pending.set(hostname, answer);
    }
    return answer;
  };
}
