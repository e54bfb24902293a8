import { describe, expect, it } from 'vitest';
import { schemaErrors } from '../../gateway/events/validate.ts';
import { createRejectionNews } from '../../gateway/ingest/rejection-news.ts';
import { createManualClock } from '../support/manual-clock.ts';

describe('news of refused signatures', () => {
  it('comes at once, then once an hour with the count of what came meanwhile, for each source', () => {
    const clock = createManualClock();
    const told: { type: string; data: { source: { name: string }; count: number } }[] = [];
    const news = createRejectionNews({
      clock,
      tell: (type, data) => Promise.resolve(void told.push({ type, data: data as never })),
    });
    for (let n = 0; n < 5; n++) news.note('mes', 'the signature does not match');
    news.note('machinemetrics', 'there is no signature');
    clock.advance(3_600_000);
    news.note('mes', 'the signature does not match');
    expect(told.map(({ data }) => [data.source.name, data.count])).toEqual([
      ['mes', 1],
      ['machinemetrics', 1],
      ['mes', 5],
    ]);
    for (const { type, data } of told) expect(schemaErrors(type, data)).toEqual([]);
  });
});
