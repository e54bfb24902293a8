import { createHash } from 'node:crypto';
import { createRandom } from '../../gateway/simulate/random.ts';
import { findObjections } from '../end-to-end/support/receiver-check.ts';
import { startReceiver } from '../support/http-receiver.ts';
import type { Answer, Receiver } from '../support/http-receiver.ts';
import type { Ledger } from './ledger.ts';

export interface MoodyReceiverOptions {
  seed: number;
  ledger: Ledger;
  /** Signing secrets by the name of the receiver, which is its path without the slash. */
  secrets: ReadonlyMap<string, string>;
}

/** An event is refused so often at most: sooner than any schedule is used up. */
const MOST_REFUSALS = 3;

const TAKES: Answer = {};

/** What a receiver does now and then, by percent of all requests; it takes the rest. */
const MOODS: readonly { upTo: number; answer: Answer }[] = [
  { upTo: 5, answer: { status: 500 } },
  // The request has arrived whole, and nothing comes back.
  { upTo: 9, answer: { fault: 'reset' } },
  { upTo: 11, answer: { status: 503, fault: 'close' } },
  { upTo: 14, answer: { fault: 'close' } },
];

/**
 * A receiver that checks and enters in the books whatever comes, and now and then answers 500 or hangs up. What it
 * does to the nth copy of an event depends on the seed, the event and n alone.
 */
export function startMoodyReceiver({ seed, ledger, secrets }: MoodyReceiverOptions): Promise<Receiver> {
  const copies = new Map<string, number>();
  return startReceiver({
    handler(request) {
      const receiver = request.path.slice(1);
      const webhookId = request.headers['webhook-id'] ?? '';
      const key = `${receiver}/${webhookId}`;
      const copy = (copies.get(key) ?? 0) + 1;
      copies.set(key, copy);
      const answer = copy > MOST_REFUSALS ? TAKES : answerFor(`${seed}/${key}/${copy}`);
      ledger.noteArrival({
        receiver,
        webhookId,
        body: request.body.toString('utf8'),
        taken: answer.status === undefined && answer.fault !== 'reset',
        objections: findObjections(request, secrets.get(receiver) ?? ''),
      });
      return answer;
    },
  });
}

function answerFor(key: string): Answer {
  const drawn = createRandom(createHash('sha256').update(key).digest().readInt32LE()).integer(1, 100);
  return MOODS.find(({ upTo }) => drawn <= upTo)?.answer ?? TAKES;
}
