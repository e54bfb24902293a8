const FILLER = 'x'.repeat(760);

/** A work order's event of about 1 KB, different each time. */
export function makeBody(n: number, run = 'r'): string {
  return JSON.stringify({
    id: `evt-${run}-${n}`,
    type: 'work_order.completed',
    timestamp: '2026-01-15T14:30:00Z',
    data: {
      workOrder: {
        id: `wo-${n % 500}`,
        orderNumber: `WO-2026-${n % 500}`,
        status: 'COMPLETED',
        completedQuantity: 100,
        completionDate: '2026-01-15T14:30:00Z',
        notes: FILLER,
      },
    },
  });
}
