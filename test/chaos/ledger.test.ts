import { expect, test } from 'vitest';
import { openLedger } from './ledger.ts';
import type { Arrival, Ledger } from './ledger.ts';

/** Books with one event that is owed to two receivers. */
function openBooks(): Ledger {
  const ledger = openLedger();
  ledger.noteSent('evt-1', 'one', ['all', 'some']);
  return ledger;
}

function arrivalOf(changes: Partial<Arrival> = {}): Arrival {
  return { receiver: 'all', webhookId: 'evt-1', body: 'one', taken: true, objections: [], ...changes };
}

test('misses what was answered 200 and not taken everywhere', () => {
  const ledger = openBooks();
  ledger.noteAnswered('evt-1');
  ledger.noteArrival(arrivalOf());
  ledger.noteArrival(arrivalOf({ receiver: 'some', taken: false }));
  expect(ledger.balance()).toMatchObject({ sent: 1, answered: 1, arrivals: 2, missing: ['some evt-1'] });
});

test('misses nothing that was never answered', () => {
  expect(openBooks().balance()).toMatchObject({ answered: 0, missing: [], faults: [] });
});

test('tells repetition that was asked for from repetition that was not', () => {
  const ledger = openBooks();
  for (const taken of [false, true, true]) ledger.noteArrival(arrivalOf({ taken }));
  ledger.noteArrival(arrivalOf({ receiver: 'some' }));
  expect(ledger.balance()).toMatchObject({ arrivals: 4, duplicates: 2, repeats: 1, faults: [] });
});

test.each([
  ['was never sent', arrivalOf({ webhookId: 'evt-2' })],
  ['has another body', arrivalOf({ body: 'two' })],
  ['was not owed there', arrivalOf({ receiver: 'none' })],
  ['signature is wrong', arrivalOf({ objections: ['signature is wrong'] })],
])('finds fault with an arrival that %s', (fault, arrival) => {
  const ledger = openBooks();
  ledger.noteArrival(arrival);
  expect(ledger.balance().faults).toEqual([expect.stringContaining(fault)]);
});

test('does not mind an arrival that comes before the answer', () => {
  const ledger = openBooks();
  for (const receiver of ['all', 'some']) ledger.noteArrival(arrivalOf({ receiver }));
  ledger.noteAnswered('evt-1');
  expect(ledger.balance()).toMatchObject({ answered: 1, missing: [], faults: [] });
});

test('counts answers and arrivals from the moment it is asked', async () => {
  const ledger = openBooks();
  ledger.noteSent('evt-2', 'two', ['all']);
  ledger.noteArrival(arrivalOf());
  const reached: string[] = [];
  const answered = ledger.afterAnswers(2).then(() => reached.push('answers'));
  const arrived = ledger.afterArrivals(1).then(() => reached.push('arrivals'));
  ledger.noteAnswered('evt-1');
  ledger.noteAnswered('evt-1');
  ledger.noteArrival(arrivalOf());
  await arrived;
  expect(reached).toEqual(['arrivals']);
  ledger.noteAnswered('evt-2');
  await answered;
});
