/** A header of ours to set, or one that HTTP gives a meaning for the connection. */
const RESERVED = new Set([
  'host',
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const NOT_IN_A_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Headers in the flat form that undici takes without another copy, or what is wrong with them. */
export type OutgoingHeaders = { flat: string[] } | { problem: string };

/**
 * Checks the headers of a request and adds `accept-encoding: identity`: the answer is kept as it comes.
 *
 * The check is not only politeness: undici 8.12.4 takes a connection out of its pool for good when a request
 * on it has an invalid header, so that a few of them would stop an origin.
 */
export function outgoingHeaders(headers: Record<string, string>): OutgoingHeaders {
  const flat = ['accept-encoding', 'identity'];
  for (const given in headers) {
    const name = given.toLowerCase();
    if (name === 'accept-encoding') continue;
    if (RESERVED.has(name))
      return { problem: `the header ${name} cannot be set: it is the connection's own` };
    if (!TOKEN.test(name)) return { problem: `"${given}" is not a header name` };
    const value = headers[given];
    if (typeof value !== 'string' || NOT_IN_A_VALUE.test(value)) {
      return { problem: `the value of the header ${name} has characters that a header cannot have` };
    }
    flat.push(name, value);
  }
  return { flat };
}
