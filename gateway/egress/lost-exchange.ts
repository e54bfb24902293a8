import { ConnectFailure } from './connect-failure.ts';
import type { PostOutcome } from './post-request.ts';

/** A stable code and a sentence for whoever reads the attempt. */
export interface PlainError {
  code: string;
  message: string;
}

/** Why a request that was sent has no answer. */
export function lostAnswer(error: Error, whom: string): PlainError {
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_') || error.name === 'HTTPParserError') {
    return { code: 'BAD_RESPONSE', message: `what ${whom} answered is not HTTP` };
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return { code: 'BAD_RESPONSE', message: `the headers that ${whom} answered are too large` };
  }
  if (code === 'UND_ERR_DESTROYED') return closed();
  return { code: 'CONNECTION_LOST', message: `${whom} closed the connection before it answered` };
}

/** Why a request was never sent: the connector's reason, or undici's. */
export function unsent(error: Error, whom: string): [PostOutcome, PlainError] {
  if (error instanceof ConnectFailure) return [error.outcome, { code: error.code, message: error.message }];
  const code = 'code' in error ? String(error.code) : 'CONNECT_FAILED';
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return ['CONNECT', closed()];
  return ['CONNECT', { code, message: `no connection to ${whom}: ${error.message}` }];
}

function closed(): PlainError {
  return { code: 'EGRESS_CLOSED', message: 'the gateway is stopping' };
}
