import { type Floor, isoTime, type Process } from './floor.ts';
import { interrupt, INTERRUPTIONS, type Interruption, reportStatus } from './machine-stops.ts';
import { DEFECTS, INSPECTORS, LOCATIONS, type Machine, type MachineKind, PRODUCTS } from './plant.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Draws that all machines share, so that everything happens early on a floor of any size. */
export interface Fate {
  nextInterruption: () => Interruption;
  nextInspectionPasses: () => boolean;
}

/** Deals the cards of a floor. */
export function createFate(floor: Floor): Fate {
  return {
    nextInterruption: floor.random.deck(INTERRUPTIONS),
    nextInspectionPasses: floor.random.deck([true, true, true, false]),
  };
}

/** Works off one work order after the other on a machine, for ever. */
export function* workMachine(floor: Floor, machine: Machine, kind: MachineKind, fate: Fate): Process {
  for (;;) {
    yield* workOffOrder(floor, machine, kind, fate);
    yield floor.random.integer(2, 10) * MINUTE_MS;
  }
}

interface Order {
  id: string;
  orderNumber: string;
  product: string;
  quantity: number;
  dueDate: string;
  materialId: string;
  materialQuantity: number;
}

function* workOffOrder(floor: Floor, machine: Machine, kind: MachineKind, fate: Fate): Process {
  const { random } = floor;
  const order = createOrder(floor);
  const { id, orderNumber, product, quantity, dueDate } = order;
  floor.sendMes('work_order.created', { workOrder: { id, orderNumber, product, quantity, dueDate } });

  yield random.integer(1, 3) * MINUTE_MS;
  floor.sendMes('inventory.material_allocated', {
    movement: { ...movementOf(floor, order, order.materialQuantity), location: random.pick(LOCATIONS) },
  });

  yield random.integer(1, 4) * MINUTE_MS;
  floor.sendMes('work_order.started', {
    workOrder: { id, status: 'IN_PROGRESS', startDate: isoTime(floor.now()) },
  });

  const operations = random.integer(1, 2);
  for (let sequence = 1; sequence <= operations; sequence++) {
    yield random.integer(1, 3) * MINUTE_MS;
    yield* runOperation(floor, machine, kind, fate, order, order.materialQuantity / operations);
  }

  yield random.integer(2, 8) * MINUTE_MS;
  const scrapped = inspect(floor, order, fate) ? 0 : random.integer(1, 3);

  yield random.integer(1, 3) * MINUTE_MS;
  updateOrder(floor, order, scrapped);

  yield random.integer(1, 5) * MINUTE_MS;
  floor.sendMes('work_order.completed', {
    workOrder: {
      id,
      orderNumber,
      status: 'COMPLETED',
      completedQuantity: quantity - scrapped,
      completionDate: isoTime(floor.now()),
    },
  });
}

function* runOperation(
  floor: Floor,
  machine: Machine,
  kind: MachineKind,
  fate: Fate,
  order: Order,
  material: number,
): Process {
  const { random } = floor;
  const id = `op-${floor.nextNumber()}`;
  const startedAt = floor.now();
  floor.sendMes('operation.started', {
    operation: {
      id,
      workOrderId: order.id,
      operationType: kind.operationType,
      startDate: isoTime(startedAt),
    },
  });
  reportStatus(floor, machine, 'READY', 'ACTIVE');

  yield random.integer(5, 20) * MINUTE_MS;
  if (random.chance(0.7)) yield* interrupt(floor, machine, kind, fate.nextInterruption());

  yield random.integer(3, 10) * MINUTE_MS;
  floor.sendMes('inventory.material_consumed', { movement: movementOf(floor, order, material) });

  yield random.integer(5, 20) * MINUTE_MS;
  reportStatus(floor, machine, 'ACTIVE', 'READY');
  const completedAt = floor.now();
  floor.sendMes('operation.completed', {
    operation: {
      id,
      workOrderId: order.id,
      status: 'COMPLETED',
      completionDate: isoTime(completedAt),
      actualDuration: Math.round((completedAt - startedAt) / MINUTE_MS),
    },
  });
}

function createOrder(floor: Floor): Order {
  const { random } = floor;
  const number = floor.nextNumber();
  const { product, materialId, perPiece } = random.pick(PRODUCTS);
  const quantity = random.integer(2, 20) * 10;
  const year = new Date(floor.now()).getUTCFullYear();
  return {
    id: `wo-${number}`,
    orderNumber: `WO-${year}-${String(number).padStart(5, '0')}`,
    product,
    quantity,
    dueDate: isoTime(floor.now() + random.integer(1, 9) * DAY_MS),
    materialId,
    materialQuantity: quantity * perPiece,
  };
}

function movementOf(floor: Floor, order: Order, quantity: number): object {
  const id = `mov-${floor.nextNumber()}`;
  return { id, materialId: order.materialId, quantity, workOrderId: order.id };
}

/** @returns whether it passed; a failure is reported as a nonconformance */
function inspect(floor: Floor, order: Order, fate: Fate): boolean {
  const passed = fate.nextInspectionPasses();
  floor.sendMes('quality.inspection_complete', {
    inspection: {
      id: `insp-${floor.nextNumber()}`,
      workOrderId: order.id,
      result: passed ? 'PASS' : 'FAIL',
      inspectedBy: floor.random.pick(INSPECTORS),
    },
  });
  if (!passed) {
    const { description, severity } = floor.random.pick(DEFECTS);
    floor.sendMes('quality.ncr_created', {
      ncr: { id: `ncr-${floor.nextNumber()}`, workOrderId: order.id, description, severity },
    });
  }
  return passed;
}

function updateOrder(floor: Floor, order: Order, scrapped: number): void {
  const [changes, previousValues] =
    scrapped === 0
      ? [{ priority: floor.random.pick(['LOW', 'HIGH']) }, { priority: 'NORMAL' }]
      : [{ notes: `${scrapped} pieces scrapped after inspection` }, { notes: null }];
  floor.sendMes('work_order.updated', {
    workOrder: { id: order.id, orderNumber: order.orderNumber, ...changes },
    changes,
    previousValues,
  });
}
