const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const DURATION = /^(\d{1,15}(?:\.\d{1,9})?)(ms|s|m|h|d)$/;

/** What `parseDuration` accepts, in words for an error message. */
export const DURATION_FORM = 'a number with ms, s, m, h or d, such as 5s, 1.5h or 7d';

/**
 * Reads a duration as it is written everywhere in settings and inputs: a number and its unit, nothing between.
 * @returns whole milliseconds (rounded), or null for what is not a duration
 */
export function parseDuration(text: string): number | null {
  const [, number, unit] = DURATION.exec(text) ?? [];
  const unitMs = unit === undefined ? undefined : UNIT_MS[unit];
  if (number === undefined || unitMs === undefined) return null;
  const durationMs = Math.round(Number(number) * unitMs);
  return Number.isSafeInteger(durationMs) ? durationMs : null;
}
