import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphqlContext } from './context.ts';

/** The context of an operation that came over HTTP. */
export interface HttpContext extends GraphqlContext {
  req: IncomingMessage;
  res: ServerResponse;
}
