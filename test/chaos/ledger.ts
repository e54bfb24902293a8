/** One request that a receiver got. */
export interface Arrival {
  /** The receiver's name. */
  receiver: string;
  webhookId: string;
  body: string;
  /** It was answered 200; otherwise the gateway has to send it again. */
  taken: boolean;
  /** What the receiver has to say against it, apart from what the ledger sees. */
  objections: readonly string[];
}

/** What the books say when they are closed. */
export interface Balance {
  /** Different events that were sent. */
  sent: number;
  /** Those of them that were answered 200. */
  answered: number;
  arrivals: number;
  /** Arrivals beyond the first of the same event at the same receiver. */
  duplicates: number;
  /** Those of them that came although an earlier one had been taken. */
  repeats: number;
  /** `receiver event` for each event that was answered 200 and that a receiver it is owed to never took. */
  missing: string[];
  /** What must not happen at all; the first fifty. */
  faults: string[];
}

/**
 * The books of a run: what was sent, what was answered 200 and is therefore owed to its receivers, and what
 * arrived. Answer and arrival of the same event may come in either order.
 */
export interface Ledger {
  /** To be called before the event is sent; `owedTo` names the receivers that subscribe to it. */
  noteSent(id: string, body: string, owedTo: readonly string[]): void;
  /** The gateway has answered 200. */
  noteAnswered(id: string): void;
  noteArrival(arrival: Arrival): void;
  noteFault(fault: string): void;
  /** Resolves when so many more events are answered. */
  afterAnswers(count: number): Promise<void>;
  /** Resolves when so many more requests have arrived. */
  afterArrivals(count: number): Promise<void>;
  balance(): Balance;
}

interface Entry {
  body: string;
  owedTo: readonly string[];
  answered: boolean;
  /** Receivers that have seen it. */
  seenBy: Set<string>;
  /** Receivers that have taken it. */
  takenBy: Set<string>;
}

const MOST_FAULTS = 50;

/** Opens empty books. */
export function openLedger(): Ledger {
  const entries = new Map<string, Entry>();
  const faults: string[] = [];
  const answers = createTally();
  const arrivals = createTally();
  let duplicates = 0;
  let repeats = 0;
  const noteFault = (fault: string): void => {
    if (faults.length < MOST_FAULTS) faults.push(fault);
  };

  const judge = (entry: Entry, { receiver, webhookId, body, objections }: Arrival): void => {
    const what = `${webhookId} at ${receiver}`;
    if (body !== entry.body) noteFault(`${what} has another body: ${body.slice(0, 200)}`);
    if (!entry.owedTo.includes(receiver)) noteFault(`${what} was not owed there`);
    for (const objection of objections) noteFault(`${what}: ${objection}`);
  };

  return {
    noteFault,
    noteSent(id, body, owedTo) {
      if (entries.has(id)) return;
      entries.set(id, { body, owedTo, answered: false, seenBy: new Set(), takenBy: new Set() });
    },
    noteAnswered(id) {
      const entry = entries.get(id)!;
      if (entry.answered) return;
      entry.answered = true;
      answers.add();
    },
    noteArrival(arrival) {
      const { receiver, webhookId, taken } = arrival;
      arrivals.add();
      const entry = entries.get(webhookId);
      if (!entry) {
        noteFault(`${webhookId} arrived at ${receiver} and was never sent`);
        return;
      }
      judge(entry, arrival);
      if (entry.seenBy.has(receiver)) duplicates += 1;
      if (entry.takenBy.has(receiver)) repeats += 1;
      entry.seenBy.add(receiver);
      if (taken) entry.takenBy.add(receiver);
    },
    afterAnswers: (count) => answers.reach(count),
    afterArrivals: (count) => arrivals.reach(count),
    balance: () => ({
      sent: entries.size,
      answered: answers.value(),
      arrivals: arrivals.value(),
      duplicates,
      repeats,
      missing: [...entries].flatMap(([id, { answered, owedTo, takenBy }]) =>
        answered ? owedTo.filter((name) => !takenBy.has(name)).map((name) => `${name} ${id}`) : [],
      ),
      faults,
    }),
  };
}

interface Tally {
  value(): number;
  add(): void;
  /** Resolves when so many more were added. */
  reach(count: number): Promise<void>;
}

function createTally(): Tally {
  let value = 0;
  let waiting: { at: number; resolve: () => void }[] = [];
  return {
    value: () => value,
    add() {
      value += 1;
      if (waiting.length === 0) return;
      for (const { at, resolve } of waiting) if (at <= value) resolve();
      waiting = waiting.filter(({ at }) => at > value);
    },
    reach(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ at: value + count, resolve });
      return promise;
    },
  };
}
