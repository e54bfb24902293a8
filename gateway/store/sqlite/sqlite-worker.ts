import { parentPort, workerData } from 'node:worker_threads';
import type { Batch, ReadRequest } from './sqlite-protocol.ts';
import { SqliteReader } from './sqlite-reader.ts';
import { SqliteWriter } from './sqlite-writer.ts';

/** What runs in the store's two threads: the one writer, or the reader. */
const { path, role } = workerData as { path: string; role: 'writer' | 'reader' };
const port = parentPort!;

/** Checkpoint after this many batches: the log beside the file stays small and no commit pays for it. */
const BATCHES_PER_CHECKPOINT = 64;

if (role === 'writer') serveWriter(new SqliteWriter(path));
else serveReader(new SqliteReader(path));

function serveWriter(writer: SqliteWriter): void {
  let batches = 0;
  port.on('message', (message: { id: number; batch?: Batch }) => {
    if (!message.batch) {
      writer.close();
      port.postMessage({ id: message.id, result: null });
      port.close();
      return;
    }
    answer(message.id, () => writer.run(message.batch!));
    // The answers have gone out: what follows delays nobody who waits already.
    if (++batches % BATCHES_PER_CHECKPOINT === 0) writer.checkpoint();
  });
  port.postMessage({ id: 0, result: { epoch: writer.epoch, head: writer.head } });
}

function serveReader(reader: SqliteReader): void {
  port.on('message', (message: { id: number; request?: ReadRequest }) => {
    if (!message.request) {
      reader.close();
      port.postMessage({ id: message.id, result: null });
      port.close();
      return;
    }
    answer(message.id, () => reader.read(message.request!));
  });
  port.postMessage({ id: 0, result: null });
}

function answer(id: number, work: () => unknown): void {
  try {
    port.postMessage({ id, result: work() });
  } catch (error) {
    port.postMessage({
      id,
      failure: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}
