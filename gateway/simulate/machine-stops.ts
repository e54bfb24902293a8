import type { Floor, Process } from './floor.ts';
import {
  type Alarm,
  type Machine,
  type MachineKind,
  OPERATOR_WORKFLOWS,
  OPERATORS,
  STOP_CATEGORIES,
} from './plant.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/** What can come between while a machine works. */
export type Interruption = 'alarm' | 'stop' | 'operator-call';

/** Every interruption that exists. */
export const INTERRUPTIONS = ['alarm', 'stop', 'operator-call'] as const satisfies readonly Interruption[];

/** Reports a machine's new state in the words of MTConnect. */
export function reportStatus(floor: Floor, machine: Machine, previous: string, current: string): void {
  floor.sendMachineMetrics('machine_status_changed', { machine, status: { previous, current } });
}

/** Interrupts a working machine; it works again at the end. */
export function* interrupt(
  floor: Floor,
  machine: Machine,
  kind: MachineKind,
  interruption: Interruption,
): Process {
  if (interruption === 'operator-call') {
    const operator = floor.random.pick(OPERATORS);
    const name = floor.random.pick(OPERATOR_WORKFLOWS);
    floor.sendMachineMetrics('operator_triggered', { machine, operator, workflow: { name } });
    return;
  }
  const alarm = interruption === 'alarm' ? floor.random.pick(kind.alarms) : null;
  yield* standStill(floor, machine, alarm);
}

function* standStill(floor: Floor, machine: Machine, alarm: Alarm | null): Process {
  const { random } = floor;
  const stopped = alarm === null ? 'STOPPED' : 'INTERRUPTED';
  const stoppedAt = floor.now();
  if (alarm !== null) {
    const { code, description, severity } = alarm;
    floor.sendMachineMetrics('alarm_triggered', { machine, alarm: { code, description, severity } });
  }
  reportStatus(floor, machine, 'ACTIVE', stopped);

  const standsMs = random.integer(4, 25) * MINUTE_MS;
  const category = alarm?.category ?? random.pick(STOP_CATEGORIES);
  // Operators often choose the category when they have time for it, which is after the machine runs again.
  const untilCategorisedMs = random.chance(0.3)
    ? standsMs + random.integer(3, 30) * MINUTE_MS
    : random.integer(30, 240) * SECOND_MS;
  const stop = { stoppedAt, runsAgainAt: stoppedAt + standsMs };
  floor.run(categorise(floor, machine, category, stop), untilCategorisedMs);

  yield standsMs;
  reportStatus(floor, machine, stopped, 'ACTIVE');
}

/** Gives a stop its category, and now and then another one later: the first guess was wrong. */
function* categorise(
  floor: Floor,
  machine: Machine,
  category: string,
  stop: { stoppedAt: number; runsAgainAt: number },
): Process {
  const { random } = floor;
  report(category, random.chance(0.5) ? 'Seen at the machine' : '');
  if (!random.chance(0.2)) return;
  yield random.integer(5, 40) * MINUTE_MS;
  let corrected = random.pick(STOP_CATEGORIES);
  while (corrected === category) corrected = random.pick(STOP_CATEGORIES);
  report(corrected, 'Category corrected');

  function report(name: string, notes: string): void {
    const until = Math.min(floor.now(), stop.runsAgainAt);
    floor.sendMachineMetrics('downtime_categorized', {
      machine,
      downtime: {
        duration_seconds: Math.round((until - stop.stoppedAt) / SECOND_MS),
        category: name,
        notes,
      },
      operator: random.pick(OPERATORS),
    });
  }
}
