import { badInput } from '../errors.ts';
import type { Endpoint } from '../services.ts';

/** A header that an endpoint wants on every request to it. */
export type EndpointHeader = Endpoint['headers'][number];

/**
 * Checks the headers somebody asks for.
 * @param field where they stand in the input
 * @returns them with names in lower case
 * @throws BAD_USER_INPUT naming the header, never its value
 */
export function checkHeaders(headers: unknown, field: string): EndpointHeader[] {
  if (!Array.isArray(headers) || headers.length > MAX_HEADERS) {
    throw badInput(
      field,
      `The headers must be a list of at most ${MAX_HEADERS}, each with a name and a value.`,
    );
  }
  const checked = headers.map((header: unknown, index) => checkHeader(header, `${field}.${index}`));
  const names = new Set<string>();
  for (const [index, { name }] of checked.entries()) {
    if (names.has(name))
      throw badInput(`${field}.${index}.name`, `The header ${name} is there twice: give it once.`);
    names.add(name);
  }
  return checked;
}

const MAX_HEADERS = 50;
const MAX_VALUE_CHARS = 8192;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;

/** What a header value may hold on the wire: no line break, nothing beyond Latin-1. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** They belong to the connection, or are made for each request; setting them would break or forge it. */
const OURS = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-mes-signature',
]);
const OUR_PREFIXES = ['webhook-', 'x-hookline-'];

function checkHeader(header: unknown, field: string): EndpointHeader {
  const { name, value, secret } = (header ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || !TOKEN.test(name)) {
    throw badInput(
      `${field}.name`,
      `${typeof name === 'string' ? JSON.stringify(name.slice(0, 60)) : 'What is given'} is not a header name: use letters, digits and hyphens, such as x-api-key.`,
    );
  }
  const lower = name.toLowerCase();
  if (OURS.has(lower) || OUR_PREFIXES.some((prefix) => lower.startsWith(prefix))) {
    throw badInput(
      `${field}.name`,
      `The header ${lower} is set by the gateway and cannot be chosen: leave it out.`,
    );
  }
  if (typeof value !== 'string' || value.length > MAX_VALUE_CHARS || !VALUE.test(value)) {
    throw badInput(
      `${field}.value`,
      `The value of the header ${lower} must be text of at most ${MAX_VALUE_CHARS} Latin characters without line breaks.`,
    );
  }
  if (secret !== undefined && secret !== null && typeof secret !== 'boolean') {
    throw badInput(`${field}.secret`, `Whether the header ${lower} is secret must be true or false.`);
  }
  return { name: lower, value: value.trim(), secret: secret === true };
}
