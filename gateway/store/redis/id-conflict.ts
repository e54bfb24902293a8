import { withId } from '../../events/event.ts';
import type { NewEvent } from '../store.ts';
import type { IdHolder, PendingAppend } from './commit-request.ts';

export function firstTry(append: NewEvent): PendingAppend {
  return { append, event: append.event, stage: 'first', guard: null };
}

/**
 * What becomes of an event whose id is held already (decisions C7 and C12).
 * @returns the id that it is a duplicate of, or what to try instead.
 */
export function resolveConflict(
  pending: PendingAppend,
  holder: IdHolder,
): { duplicateOf: string } | PendingAppend {
  const { append, event, stage } = pending;
  if (stage === 'later') return { duplicateOf: holder.id };
  if (stage === 'first' && holder.source !== event.source) {
    // Another source holds this id: it stays theirs, ours is told apart by its source's name.
    const own = withId(event, `${event.source ?? 'api'}:${event.id}`);
    return { append, event: own, stage: 'own', guard: null };
  }
  const windowMs = append.duplicateWindowMs;
  if (windowMs === undefined || event.receivedAt - holder.at <= windowMs) return { duplicateOf: holder.id };
  // Later copies are told apart by the window they fall into; the window before may still cover this one.
  const window = Math.floor(event.receivedAt / windowMs);
  return {
    append,
    event: withId(event, `${event.id}-${window}`),
    stage: 'later',
    guard: `${event.id}-${window - 1}`,
  };
}

/** The causes of a settlement, where the id of one of them is held by another source. */
export function renameCause(causes: readonly PendingAppend[], holder: IdHolder): PendingAppend[] {
  return causes.flatMap((cause, index) => {
    if (index + 1 !== holder.cause) return [cause];
    const next = resolveConflict(cause, holder);
    return 'duplicateOf' in next ? [] : [next];
  });
}
