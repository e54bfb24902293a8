import { badInput } from '../errors.ts';
import { type Floor, type Process, runFloor, type ShopFloorEvent } from './floor.ts';
import { machineAt } from './plant.ts';
import { createFate, workMachine } from './work-orders.ts';

/** How a floor is set up. */
export interface ShopFloorOptions {
  /** The same seed and start give the same events; it is also part of every MES event's id. */
  seed: number;
  /** Unix milliseconds of the first event. */
  startAt: number;
  /** Machines on the floor, 1 or more. @default 4 */
  machines?: number;
}

/**
 * A small shop floor in simulated time: work orders are entered, supplied, worked off, inspected and closed while
 * the machines run, stop, raise alarms and are looked after. Yields what the MES and the machine monitoring would
 * send, in their own forms, of every catalogued type; never ends, and waits for nothing.
 * @returns payloads in strictly increasing order of time
 * @throws BAD_USER_INPUT for a number of machines that is not a whole number from 1 up
 */
export function simulateShopFloor(options: ShopFloorOptions): Generator<ShopFloorEvent, void, void> {
  const { seed, startAt, machines = 4 } = options;
  if (!Number.isInteger(machines) || machines < 1) {
    throw badInput('machines', `a shop floor has 1 machine or more, not ${machines}`);
  }
  return runFloor({ seed, startAt }, (floor) => {
    const fate = createFate(floor);
    for (let index = 0; index < machines; index++) {
      const { machine, kind } = machineAt(index);
      floor.run(workMachine(floor, machine, kind, fate), index * floor.random.integer(30, 300) * 1000);
    }
    floor.run(keepSchedule(floor));
  });
}

const HOUR_MS = 3_600_000;

/** Scheduled workflows: at which hours of the day (UTC) they run, all where none is named. */
const SCHEDULED_WORKFLOWS: readonly { name: string; schedule: string; hours?: readonly number[] }[] = [
  { name: 'Hourly part count', schedule: '0 * * * *' },
  { name: 'Shift hand-over', schedule: '0 6,14,22 * * *', hours: [6, 14, 22] },
  { name: 'Daily production sync', schedule: '0 23 * * *', hours: [23] },
];

/** Fires scheduled workflows at their hours. */
function* keepSchedule(floor: Floor): Process {
  for (;;) {
    yield HOUR_MS - (floor.now() % HOUR_MS);
    const hour = new Date(floor.now()).getUTCHours();
    for (const { name, schedule, hours } of SCHEDULED_WORKFLOWS) {
      if (hours === undefined || hours.includes(hour)) {
        floor.sendMachineMetrics('scheduled', { workflow: { name, schedule, time_zone: 'UTC' } });
      }
    }
  }
}
