import { describe } from 'vitest';
import type { Store } from '../../gateway/store/store.ts';
import { createMemoryRecords } from '../support/memory-records.ts';
import { testRecords } from './records-contract.ts';

describe('the record store of the tests', () => {
  testRecords((clock) => {
    const store = createMemoryRecords(clock) as ReturnType<typeof createMemoryRecords> & Store;
    return Promise.resolve({ store, reopen: () => Promise.resolve(store), close: () => Promise.resolve() });
  });
});
