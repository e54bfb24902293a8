import { expect, it, vi } from 'vitest';
import { createRecordMirror } from '../../gateway/store/record-mirror.ts';
import type { RecordMirror } from '../../gateway/store/record-mirror.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createMemoryRecords } from '../support/memory-records.ts';

interface Note {
  text: string;
}

function setUp() {
  const clock = createManualClock();
  const records = createMemoryRecords(clock);
  const open = (onChange?: (id: string) => void): Promise<RecordMirror<Note>> =>
    createRecordMirror<Note>({
      records,
      clock,
      collection: 'notes',
      ...(onChange === undefined ? {} : { onChange }),
    });
  return { clock, records, open };
}

it('shows what was stored before it began, without telling of it as a change', async () => {
  const { records, open } = setUp();
  await records.commit([{ collection: 'notes', id: 'a', value: { text: 'old' }, ifVersion: 0 }]);
  await records.commit([{ collection: 'others', id: 'b', value: { text: 'not ours' }, ifVersion: 0 }]);
  const onChange = vi.fn();
  using mirror = await open(onChange);
  expect([...mirror.all()]).toEqual([{ id: 'a', version: 1, value: { text: 'old' } }]);
  expect(onChange).not.toHaveBeenCalled();
});

it('shows an own write before the write resolves, and tells of it once', async () => {
  const { open } = setUp();
  const onChange = vi.fn();
  using mirror = await open(onChange);
  using other = await open();
  expect(await mirror.commit([{ id: 'a', value: { text: 'new' }, ifVersion: 0 }])).toBe(true);
  expect(mirror.get('a')?.value.text).toBe('new');
  await vi.waitFor(() => expect(other.get('a')?.value.text).toBe('new'));
  expect(onChange).toHaveBeenCalledTimes(1);
});

it('writes nothing where a version is not as expected, and knows the present one then', async () => {
  const { records, open } = setUp();
  using mirror = await open();
  await mirror.commit([{ id: 'a', value: { text: 'one' }, ifVersion: 0 }]);
  const committing = records.commit([
    { collection: 'notes', id: 'a', value: { text: 'two' }, ifVersion: 'any' },
  ]);
  const changes = [
    { id: 'b', value: { text: 'never' }, ifVersion: 0 },
    { id: 'a', value: { text: 'never' }, ifVersion: 1 },
  ];
  expect(await mirror.commit(changes)).toBe(false);
  expect(mirror.get('a')?.value.text).toBe('two');
  expect(mirror.get('b')).toBeUndefined();
  await committing;
});

it('loses no change where two change the same document at the same time', async () => {
  const { open } = setUp();
  using here = await open();
  using there = await open();
  const add = (mirror: RecordMirror<Note>, letter: string) =>
    mirror.update('a', (note) => ({ text: (note?.text ?? '') + letter }));
  await Promise.all([add(here, 'x'), add(there, 'y'), add(here, 'z')]);
  await vi.waitFor(() => expect(here.get('a')!.value.text.split('').sort()).toEqual(['x', 'y', 'z']));
  await vi.waitFor(() => expect(there.get('a')).toEqual(here.get('a')));
});

it('writes nothing for a change that changes nothing', async () => {
  const { records, open } = setUp();
  using mirror = await open();
  await mirror.update('a', () => ({ text: 'one' }));
  const before = records.commits;
  const record = await mirror.update('a', (note) => note!);
  expect(record).toMatchObject({ version: 1 });
  expect(records.commits).toBe(before);
});

it('follows deletions', async () => {
  const { open } = setUp();
  const onChange = vi.fn();
  using here = await open();
  using there = await open(onChange);
  await here.commit([{ id: 'a', value: { text: 'one' }, ifVersion: 0 }]);
  await here.commit([{ id: 'a', value: null, ifVersion: 1 }]);
  expect(here.get('a')).toBeUndefined();
  await vi.waitFor(() => expect(onChange).toHaveBeenLastCalledWith('a', undefined));
  expect([...there.all()]).toEqual([]);
});

it('catches up with everything it missed after the feed broke', async () => {
  const { records, clock, open } = setUp();
  const onChange = vi.fn();
  using mirror = await open(onChange);
  await mirror.commit([
    { id: 'a', value: { text: 'one' }, ifVersion: 0 },
    { id: 'b', value: { text: 'one' }, ifVersion: 0 },
  ]);
  records.breakWatches();
  await vi.waitFor(() => expect(records.watches).toBe(0));
  await records.commit([
    { collection: 'notes', id: 'a', value: { text: 'two' }, ifVersion: 1 },
    { collection: 'notes', id: 'b', value: null, ifVersion: 1 },
  ]);
  expect(mirror.get('a')?.value.text).toBe('one');
  await vi.waitFor(() => {
    clock.advance(1000);
    expect(mirror.get('a')?.value.text).toBe('two');
  });
  expect(mirror.get('b')).toBeUndefined();
  await records.commit([{ collection: 'notes', id: 'c', value: { text: 'live again' }, ifVersion: 0 }]);
  await vi.waitFor(() => expect(mirror.get('c')?.value.text).toBe('live again'));
});

it('stops following when closed', async () => {
  const { records, open } = setUp();
  const mirror = await open();
  expect(records.watches).toBe(1);
  mirror.close();
  await vi.waitFor(() => expect(records.watches).toBe(0));
});
