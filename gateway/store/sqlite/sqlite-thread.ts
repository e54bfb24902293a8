import { Worker } from 'node:worker_threads';
import { HooklineError } from '../../errors.ts';

/** Calls into one of the store's threads. Answers come in the order of the calls. */
export class SqliteThread<Hello> {
  readonly ready: Promise<Hello>;
  readonly #worker: Worker;
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #nextId = 0;
  #failure: Error | null = null;

  constructor(path: string, role: 'writer' | 'reader') {
    // Beside this file in the sources, beside the bundle in the build.
    const file = import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js';
    this.#worker = new Worker(new URL(file, import.meta.url), {
      workerData: { path, role },
      // Node.js 22 calls SQLite experimental in each thread; the part in use is the same in 24.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.ready = this.#expect(0) as Promise<Hello>;
    this.#worker.on(
      'message',
      ({ id, result, failure }: { id: number; result?: unknown; failure?: string }) => {
        const waiting = this.#waiting.get(id);
        this.#waiting.delete(id);
        if (failure === undefined) waiting?.resolve(result);
        else waiting?.reject(new Error(failure));
      },
    );
    this.#worker.on('error', (error) => this.#fail(error as Error));
    this.#worker.on('exit', () => this.#fail(new Error('the store thread has ended')));
  }

  call<Result>(message: object): Promise<Result> {
    if (this.#failure) return Promise.reject(unavailable(this.#failure));
    const id = ++this.#nextId;
    const answer = this.#expect(id) as Promise<Result>;
    this.#worker.postMessage({ id, ...message });
    return answer;
  }

  /** Ends the thread after what was called before. */
  async close(): Promise<void> {
    if (this.#failure) return;
    await this.call({});
    await this.#worker.terminate();
  }

  #expect(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(unavailable(error));
    this.#waiting.clear();
  }
}

function unavailable(cause: Error): HooklineError {
  return new HooklineError('STORE_UNAVAILABLE', `The store does not answer: ${cause.message}`, { cause });
}
