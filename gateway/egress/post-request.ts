/** One request to the outside. */
export interface PostRequest {
  /** `https:`, `http:`, or `inspector:<bin>` for the built-in inspector. */
  url: string;
  /** @default 'POST' */
  method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'GET';
  /** Lower-case names. Those of the connection (host, content-length, …) are refused; `accept-encoding` is always `identity`. */
  headers: Record<string, string>;
  body: string | Uint8Array;
  /** For the whole attempt, from the name look-up to the last byte kept of the answer. Up to 50 ms late, never early. */
  timeoutMs: number;
  /** So much of the answer's body is kept; the rest is not read, but for a little to keep the connection. */
  maxResponseBytes: number;
}

/**
 * What became of a request, as the transport sees it.
 * - `RESPONSE`: an HTTP answer came, whatever its status, redirects included: none is ever followed.
 * - `DNS`, `CONNECT`, `TLS`: no connection; nothing was sent.
 * - `TIMEOUT`: no answer in time. With `bytesSent` the receiver may have taken the request all the same.
 * - `REFUSED_BY_POLICY`: the destination, or the request itself, may not be sent; trying again cannot help.
 * - `UNKNOWN`: the request was sent and the connection ended without an answer that can be read.
 */
export type PostOutcome =
  | 'RESPONSE'
  | 'DNS'
  | 'CONNECT'
  | 'TLS'
  | 'TIMEOUT'
  | 'REFUSED_BY_POLICY'
  | 'UNKNOWN';

/** The result of a request. Never an exception: a receiver that fails is data. */
export interface PostResult {
  outcome: PostOutcome;
  /**
   * Whether any of the request may have left. `bytesSent` without `RESPONSE` is the ambiguous case:
   * the receiver may or may not have acted on it.
   */
  bytesSent: boolean;
  /** With `RESPONSE` only, like headers and body. */
  statusCode?: number;
  /** Lower-case names; repeated ones joined by `, `; 16 KiB are kept. */
  headers?: Record<string, string>;
  /** UTF-8, with replacement characters where it is not; as sent, not decompressed. */
  body?: string;
  /** The body is longer than what was kept, or broke off; in the latter case `error` says how. */
  bodyTruncated?: boolean;
  /** A stable code and a sentence, which names the host but never path, query or headers. */
  error?: { code: string; message: string };
  durationMs: number;
}
