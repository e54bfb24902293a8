import {
  dataSchema,
  type EventType,
  identifier,
  type JsonSchema,
  objectOf,
  quantity,
  text,
  word,
} from './event-type.ts';

const movement: JsonSchema = objectOf(
  {
    id: identifier('Id of the movement in the MES.'),
    materialId: text('The material that moved.'),
    workOrderId: text('The work order it is for.'),
    type: word('Kind of movement.', ['ALLOCATION', 'CONSUMPTION', 'RETURN', 'ADJUSTMENT', 'TRANSFER']),
    quantity: quantity("Amount, in the material's unit of measure."),
    location: {
      type: ['string', 'object', 'null'],
      description:
        'Where it is. The MES announces this member and shows it in no sample, so its form is open.',
    },
    fromLocation: text('Where it came from.'),
    toLocation: text('Where it went.'),
  },
  ['id'],
  'The movement of material.',
);

/** Material on its way into work orders. */
export const inventoryEventTypes: readonly EventType[] = [
  {
    name: 'inventory.material_allocated',
    description: 'Material was reserved for a work order.',
    dialect: 'machshop',
    deprecated: false,
    schema: dataSchema({ movement }, ['movement']),
    example: {
      id: 'evt-8f41c092',
      type: 'inventory.material_allocated',
      timestamp: '2026-03-09T05:51:44.000Z',
      data: {
        movement: {
          id: 'mov-7704',
          materialId: 'mat-0915',
          quantity: 130,
          workOrderId: 'wo-5120',
          location: 'RACK-07-B',
        },
      },
    },
  },
  {
    name: 'inventory.material_consumed',
    description: 'Reserved material was used up by a work order.',
    dialect: 'machshop',
    deprecated: false,
    schema: dataSchema({ movement }, ['movement']),
    example: {
      id: 'evt-8f41c1f0',
      type: 'inventory.material_consumed',
      timestamp: '2026-03-09T08:30:12.000Z',
      data: { movement: { id: 'mov-7731', materialId: 'mat-0915', quantity: 64, workOrderId: 'wo-5120' } },
    },
  },
];
