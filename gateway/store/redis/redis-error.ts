import { ReplyError } from 'ioredis';
import { HooklineError } from '../../errors.ts';

/** The server ran a command and found a fault in it: it will not go better another time. */
class CommandFault extends Error {
  override readonly name = 'CommandFault';
}

/** What the server answers to a sound command when it cannot carry it out now. */
const PASSING =
  /^(?:OOM|LOADING|READONLY|MISCONF|BUSY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|MOVED|ASK)\b/;

/**
 * What a lost connection or a refusal of the server means to whoever asked. The library's error is left behind: it
 * carries all that was sent.
 */
export function toStoreError(error: unknown): HooklineError {
  if (error instanceof HooklineError) return error;
  const message = error instanceof Error ? error.message.slice(0, 300) : String(error);
  if (!(error instanceof ReplyError)) return unavailable('no connection', new Error(message));
  const code = /^[A-Z]+/.exec(message)?.[0] ?? 'refused';
  return unavailable(code, PASSING.test(message) ? new Error(message) : new CommandFault(message));
}

/** The same for the first connection: who is not let in has a setting to mend. */
export function toStartError(error: unknown): HooklineError {
  if (!(error instanceof ReplyError) || !/^(?:NOAUTH|WRONGPASS|NOPERM)\b/.test((error as Error).message))
    return toStoreError(error);
  return new HooklineError(
    'CONFIGURATION',
    'The Redis of HOOKLINE_STORE_URL does not let us in: put the right user and password into it, redis://user:password@host:6379/0.',
  );
}

/** Whether it would fail again, and what else went with it perhaps would not. */
export function isFault(error: HooklineError): boolean {
  return error.cause instanceof CommandFault;
}

function unavailable(reason: string, cause: Error): HooklineError {
  return new HooklineError('STORE_UNAVAILABLE', `Redis could not take it (${reason}); send it again later.`, {
    cause,
  });
}
