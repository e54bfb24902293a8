import { createRandom, type Random } from './random.ts';

/** One payload as a vendor would send it. */
export interface ShopFloorEvent {
  /** When it is sent, Unix milliseconds. */
  at: number;
  /** The source it belongs to. */
  source: 'mes' | 'machinemetrics';
  /** The request body, JSON text in the vendor's form. */
  body: string;
}

/** Something that goes on by itself: it yields the milliseconds until its next step. */
export type Process = Generator<number, void, void>;

/** Time, chance and the way out for what happens on the simulated floor. */
export interface Floor {
  readonly random: Random;
  /** Unix milliseconds on the floor. */
  now(): number;
  /** A number that this floor gives only once, for the ids of work orders and the like. */
  nextNumber(): number;
  /** Sends an MES event. */
  sendMes(type: string, data: object): void;
  /** Sends a machine-monitoring payload; `members` stand beside `event` and `timestamp`. */
  sendMachineMetrics(event: string, members: object): void;
  /** Lets a process run beside the others, its first step after `delayMs`. */
  run(process: Process, delayMs?: number): void;
}

/**
 * Runs processes in simulated time and yields what they send. Never ends while a process goes on.
 * @param startProcesses sets the floor up
 * @returns payloads in order of time, no two at the same millisecond
 */
export function* runFloor(
  options: { seed: number; startAt: number },
  startProcesses: (floor: Floor) => void,
): Generator<ShopFloorEvent, void, void> {
  const agenda = new Agenda();
  const sent: ShopFloorEvent[] = [];
  let now = options.startAt;
  let lastSentAt = options.startAt - 1;
  let lastNumber = 0;
  let lastMesEvent = 0;

  // Machine-monitoring payloads have no id, so only their times keep two of them apart.
  const send = (source: ShopFloorEvent['source'], payload: (timestamp: string) => object): void => {
    lastSentAt = Math.max(now, lastSentAt + 1);
    const body = JSON.stringify(payload(isoTime(lastSentAt)));
    sent.push({ at: lastSentAt, source, body });
  };

  startProcesses({
    random: createRandom(options.seed),
    now: () => now,
    nextNumber: () => ++lastNumber,
    sendMes(type, data) {
      const id = `evt-${options.seed}-${++lastMesEvent}`;
      send('mes', (timestamp) => ({ id, type, timestamp, data }));
    },
    sendMachineMetrics(event, members) {
      send('machinemetrics', (timestamp) => ({ event, timestamp, ...members }));
    },
    run: (process, delayMs = 0) => agenda.add(now + delayMs, process),
  });

  for (let entry = agenda.takeFirst(); entry !== undefined; entry = agenda.takeFirst()) {
    now = entry.at;
    const step = entry.process.next();
    if (step.done !== true) agenda.add(now + step.value, entry.process);
    yield* sent.splice(0);
  }
}

/** ISO 8601 in UTC, as both vendors write times. */
export function isoTime(at: number): string {
  return new Date(at).toISOString();
}

interface AgendaEntry {
  at: number;
  process: Process;
}

/** What comes next; entries of the same time keep their order. A floor has few processes, so a list will do. */
class Agenda {
  readonly #entries: AgendaEntry[] = [];

  add(at: number, process: Process): void {
    const later = this.#entries.findIndex((entry) => entry.at > at);
    this.#entries.splice(later === -1 ? this.#entries.length : later, 0, { at, process });
  }

  takeFirst(): AgendaEntry | undefined {
    return this.#entries.shift();
  }
}
