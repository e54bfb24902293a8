const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** Up for this long, a process counts as sound again. */
const SOUND_AFTER_MS = 5 * 60_000;

/**
 * How long to wait before a process that ended is started again: 1 s, then twice as long each time, 60 s at most.
 * @param previousMs the pause before the run that just ended, null where it is the first to end.
 * @param upMs how long that run lasted; 5 minutes or more begin anew.
 */
export function nextPauseMs(previousMs: number | null, upMs: number): number {
  if (previousMs === null || upMs >= SOUND_AFTER_MS) return FIRST_PAUSE_MS;
  return Math.min(previousMs * 2, LONGEST_PAUSE_MS);
}
