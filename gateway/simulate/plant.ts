/** A machine as the monitoring system names it. */
export interface Machine {
  id: string;
  name: string;
  group: string;
}

/** A machine and its alarms and work. */
export interface MachineKind {
  group: string;
  name: string;
  /** First part of the machine's id. */
  idPrefix: string;
  operationType: string;
  alarms: readonly [Alarm, ...Alarm[]];
}

/** An alarm as its controller raises it. */
export interface Alarm {
  code: string;
  description: string;
  severity: string;
  /** What the stop after it is usually put down to. */
  category: string;
}

/** The kinds of machines on the floor, in the order in which they are set up. */
export const MACHINE_KINDS: readonly [MachineKind, ...MachineKind[]] = [
  {
    group: 'Milling',
    name: 'Mill',
    idPrefix: 'mill',
    operationType: 'MILL',
    alarms: [
      {
        code: 'SV0401',
        description: 'Servo drive of the Z axis not ready',
        severity: 'CRITICAL',
        category: 'Maintenance Required',
      },
      {
        code: 'EX1021',
        description: 'Coolant level below minimum',
        severity: 'WARNING',
        category: 'Coolant',
      },
    ],
  },
  {
    group: 'Turning',
    name: 'Lathe',
    idPrefix: 'lathe',
    operationType: 'TURN',
    alarms: [
      {
        code: 'P/S 101',
        description: 'Program memory lost power while writing',
        severity: 'CRITICAL',
        category: 'Maintenance Required',
      },
      {
        code: '2041',
        description: 'Bar feeder is empty',
        severity: 'WARNING',
        category: 'Waiting for material',
      },
    ],
  },
  {
    group: 'Welding',
    name: 'Weld cell',
    idPrefix: 'weld',
    operationType: 'WELD',
    alarms: [
      {
        code: 'ARC-17',
        description: 'Arc did not ignite',
        severity: 'ERROR',
        category: 'Setup',
      },
      {
        code: 'DOOR-02',
        description: 'Safety door opened during the cycle',
        severity: 'ERROR',
        category: 'Safety stop',
      },
    ],
  },
  {
    group: 'Assembly',
    name: 'Assembly station',
    idPrefix: 'assembly',
    operationType: 'ASSEMBLY',
    alarms: [
      {
        code: 'TQ-88',
        description: 'Torque outside its window',
        severity: 'WARNING',
        category: 'Quality check',
      },
    ],
  },
];

/** Products with the material they are made of. */
export const PRODUCTS = [
  { product: 'Pump housing PH-80', materialId: 'mat-0915', perPiece: 1 },
  { product: 'Bearing bracket BB-12', materialId: 'mat-0433', perPiece: 2 },
  { product: 'Valve block VB-3', materialId: 'mat-1207', perPiece: 1 },
  { product: 'Drive shaft DS-45', materialId: 'mat-0260', perPiece: 1 },
] as const;

/** Categories for stops that no alarm explains. */
export const STOP_CATEGORIES = [
  'Tool change',
  'Waiting for material',
  'Setup',
  'No operator',
  'Cleaning',
] as const;

/** Workflows that operators start by hand. */
export const OPERATOR_WORKFLOWS = [
  'Request Quality Inspection',
  'Bring Material',
  'Call Maintenance',
] as const;

/** People at the machines. */
export const OPERATORS = [
  { id: 'op-17', name: 'Jonas Weber' },
  { id: 'op-22', name: 'Aylin Demir' },
  { id: 'op-31', name: 'Chidi Okafor' },
] as const;

/** People who inspect. */
export const INSPECTORS = ['Mara Lindqvist', 'Tomasz Zielinski'] as const;

/** What inspections find. */
export const DEFECTS = [
  { description: 'Bore diameter over tolerance', severity: 'MAJOR' },
  { description: 'Scratch on the sealing face', severity: 'MINOR' },
  { description: 'Crack next to the weld seam', severity: 'HIGH' },
] as const;

/** Where material is kept. */
export const LOCATIONS = ['RACK-03-A', 'RACK-07-B', 'RACK-11-C'] as const;

/** The `index`-th machine of a floor, kinds taking turns: Mill 1, Lathe 1, …, Mill 2. */
export function machineAt(index: number): { machine: Machine; kind: MachineKind } {
  const kind = MACHINE_KINDS[index % MACHINE_KINDS.length] ?? MACHINE_KINDS[0];
  const number = Math.floor(index / MACHINE_KINDS.length) + 1;
  const id = `${kind.idPrefix}-${String(number).padStart(2, '0')}`;
  return { machine: { id, name: `${kind.name} ${number}`, group: kind.group }, kind };
}
