/** The id of a delivery: the place of its birth in the journal, so that ids sort as the journal runs. */
export function formatDeliveryId(seq: number): string {
  return `dlv_${seq.toString(36).padStart(8, '0')}`;
}

/** @returns the place, or null for what is no delivery id of this store. */
export function parseDeliveryId(id: string): number | null {
  return /^dlv_[0-9a-z]{8,11}$/.test(id) ? Number.parseInt(id.slice(4), 36) : null;
}
