import type { IncomingHttpHeaders } from 'node:http';
import { HooklineError } from '../errors.ts';
import type { Principal } from '../services.ts';

/**
 * Who asks, by the headers of a request. For a websocket they are those of its upgrade, with the `authorization`
 * of its `connection_init` where it brought one.
 * @returns null for nobody that is valid
 * @throws RATE_LIMITED where too many wrong keys came
 */
export type Authenticate = (headers: IncomingHttpHeaders, request: AskedBy) => Principal | null;

/** What else tells one request from another. */
export interface AskedBy {
  isUpgrade: boolean;
  method: string;
  /** The peer's address. */
  address: string;
}

/** What is said to whoever brings no valid key. */
export function unauthenticated(): HooklineError {
  return new HooklineError(
    'UNAUTHENTICATED',
    'This needs a valid key: send it as "Authorization: Bearer <key>" (on a websocket in the payload of connection_init), or log in.',
  );
}
