/**
 * Counts the beginnings and ends of evaluations, shared between the two threads of the worker process: odd while
 * one is under way. Its second cell never changes and is only slept on.
 */
export type Pulse = Int32Array<SharedArrayBuffer>;

export function createPulse(): Pulse {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** An evaluation begins or ends. */
export function beat(pulse: Pulse): void {
  Atomics.add(pulse, 0, 1);
  Atomics.notify(pulse, 0);
}

export interface ProcessLimits {
  /** Processor time that one evaluation may take, in ms: unlike the clock it stands still while the machine is busy. */
  cpuMs: number;
  /** Memory of the whole process, in bytes. */
  residentBytes: number;
  /** Id of the process that ours must not outlive. */
  parentPid: number;
}

/** How the process ends itself: by the signal the parent tells the reason. */
export const END_BY_TIME = 'SIGALRM';
export const END_BY_MEMORY = 'SIGKILL';

const LOOK_EVERY_MS = 20;
/** After so many looks with nothing to see it sleeps until something begins. */
const IDLE_LOOKS = 50;

/**
 * Watches over the process from a thread of its own and ends it at once, whatever the other thread is stuck in,
 * when an evaluation passes a limit or the parent is gone.
 */
export function watchProcess(pulse: Pulse, { cpuMs, residentBytes, parentPid }: ProcessLimits): never {
  let seen = 0;
  let startedUs = 0;
  let idleLooks = 0;
  for (;;) {
    const count = Atomics.load(pulse, 0);
    if (count !== seen) {
      seen = count;
      startedUs = usedUs();
      idleLooks = 0;
    }
    if (count % 2 !== 0) {
      if (usedUs() - startedUs > cpuMs * 1000) process.kill(process.pid, END_BY_TIME);
      if (process.memoryUsage.rss() > residentBytes || process.ppid !== parentPid) {
        process.kill(process.pid, END_BY_MEMORY);
      }
    } else if (++idleLooks > IDLE_LOOKS) Atomics.wait(pulse, 0, count);
    Atomics.wait(pulse, 1, 0, LOOK_EVERY_MS);
  }
}

/** Processor time of all threads so far, in µs. */
function usedUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
