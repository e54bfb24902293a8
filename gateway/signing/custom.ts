import { createHmac } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { parseContentTemplate } from './content-template.ts';
import type { ContentPart } from './content-template.ts';
import { findMatchingKey, firstSecret, textKey, textKeys } from './hmac.ts';
import type { HmacDigest, HmacEncoding } from './hmac.ts';
import { defineScheme } from './scheme.ts';
import type { CustomOptions, SchemeHeaders } from './scheme.ts';
import { SigningError } from './signing-error.ts';
import { checkFreshness, DEFAULT_TOLERANCE_SECONDS, parseTimestamp, timestampToSign } from './timestamp.ts';
import { accept, readSingleHeader, reject, rejectMismatch } from './verification.ts';

/**
 * A scheme described by its options, for senders that follow none of the known ones. The secret is used as text.
 *
 * Where the template names `{timestamp}`, the time must be fresh (seconds and, from 1e12 up, milliseconds); with the
 * tolerance `null` it may be any text. Hex is accepted in upper case too, since such senders exist.
 */
export const customScheme = defineScheme({
  name: 'custom',
  headers: (options) => compile(options).headers,

  prepareSigner({ secrets, custom }) {
    const compiled = compile(custom);
    const key = textKey(firstSecret(secrets));
    return ({ body, id, timestamp }) => {
      const { headers, prefix } = compiled;
      const time = headers.timestamp === null ? '' : timestampToSign(timestamp, 'either');
      if (headers.id !== null && (id === undefined || !HEADER_VALUE.test(id))) {
        throw new SigningError(
          'ID_INVALID',
          'The id to sign must be visible ASCII, because it travels in a header.',
        );
      }
      return {
        ...(headers.id === null ? {} : { [headers.id]: id ?? '' }),
        ...(headers.timestamp === null ? {} : { [headers.timestamp]: time }),
        [headers.signature]: prefix + hmacOf(compiled, key, { id: id ?? '', timestamp: time, body }),
      };
    };
  },

  prepareVerifier({ secrets, custom, toleranceSeconds = DEFAULT_TOLERANCE_SECONDS }) {
    const compiled = compile(custom);
    const keys = textKeys(secrets);
    const { headers: names, prefix, encoding } = compiled;
    const shape = shapeOf(compiled);
    return ({ body, headers, nowSeconds }) => {
      const given = readSingleHeader(headers, names.signature, 'missing_signature');
      if (typeof given !== 'string') return given;
      const id = names.id === null ? '' : readSingleHeader(headers, names.id, 'missing_id');
      if (typeof id !== 'string') return id;
      const timestamp =
        names.timestamp === null ? '' : readSingleHeader(headers, names.timestamp, 'missing_timestamp');
      if (typeof timestamp !== 'string') return timestamp;
      let timestampSeconds: number | null = null;
      if (names.timestamp !== null && toleranceSeconds !== null) {
        const parsed = parseTimestamp(timestamp, 'either', names.timestamp);
        if (typeof parsed !== 'number') return parsed;
        const stale = checkFreshness(parsed, nowSeconds, toleranceSeconds);
        if (stale !== null) return stale;
        timestampSeconds = parsed;
      }
      const spelled = given.slice(prefix.length);
      const signature = encoding === 'hex' ? spelled.toLowerCase() : spelled;
      if (!given.startsWith(prefix) || !shape.test(signature)) {
        return reject(
          'malformed_signature',
          `The header ${names.signature} is not a signature: send ${prefix === '' ? '' : `"${prefix}" and `}${compiled.digest} in ${encoding}.`,
        );
      }
      const keyIndex = findMatchingKey(keys, [signature], (key) =>
        hmacOf(compiled, key, { id, timestamp, body }),
      );
      return keyIndex < 0 ? rejectMismatch(names.signature) : accept(keyIndex, timestampSeconds);
    };
  },
});

interface CompiledOptions {
  headers: SchemeHeaders;
  prefix: string;
  encoding: HmacEncoding;
  digest: HmacDigest;
  parts: ContentPart[];
}

const DIGEST_BYTES: Record<HmacDigest, number> = { sha256: 32, sha384: 48, sha512: 64 };

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;
const HEADER_VALUE = /^[\x21-\x7e]+$/;
const PREFIX = /^(?:[\x21-\x7e][\x20-\x7e]{0,99})?$/;

function compile(options: CustomOptions | undefined): CompiledOptions {
  if (options === undefined) {
    throw new SigningError(
      'CUSTOM_INVALID',
      'The scheme custom needs its options: give at least the header name.',
    );
  }
  const { prefix = '', encoding = 'hex', digest = 'sha256', template = '{body}' } = options;
  if (!PREFIX.test(prefix)) {
    throw new SigningError('CUSTOM_INVALID', 'The prefix must be at most 100 characters of printable ASCII.');
  }
  if (encoding !== 'hex' && encoding !== 'base64') {
    throw new SigningError('CUSTOM_INVALID', 'The encoding must be hex or base64.');
  }
  if (!Object.hasOwn(DIGEST_BYTES, digest)) {
    throw new SigningError('CUSTOM_INVALID', 'The digest must be sha256, sha384 or sha512.');
  }
  const parts = parseContentTemplate(template);
  const uses = (place: ContentPart['kind']): boolean => parts.some((part) => part.kind === place);
  const headers = {
    signature: headerName(options.headerName),
    timestamp: uses('timestamp') ? headerName(options.timestampHeader ?? 'webhook-timestamp') : null,
    id: uses('id') ? headerName(options.idHeader ?? 'webhook-id') : null,
  };
  const names = [headers.signature, headers.timestamp, headers.id].filter((name) => name !== null);
  if (new Set(names).size < names.length) {
    throw new SigningError('CUSTOM_INVALID', 'The signature, the timestamp and the id need a header each.');
  }
  return { headers, prefix, encoding, digest, parts };
}

function headerName(name: string): string {
  if (!HEADER_NAME.test(name)) {
    throw new SigningError('CUSTOM_INVALID', 'A header name must be an HTTP token, such as x-signature.');
  }
  return name.toLowerCase();
}

/** What a signature looks like: checked before anything is hashed. */
function shapeOf({ encoding, digest }: CompiledOptions): RegExp {
  const bytes = DIGEST_BYTES[digest];
  if (encoding === 'hex') return new RegExp(`^[0-9a-f]{${2 * bytes}}$`);
  const padding = (3 - (bytes % 3)) % 3;
  return new RegExp(`^[A-Za-z0-9+/]{${Math.ceil((4 * bytes) / 3)}}={${padding}}$`);
}

function hmacOf(
  { digest, encoding, parts }: CompiledOptions,
  key: KeyObject,
  values: { id: string; timestamp: string; body: string | Uint8Array },
): string {
  const hmac = createHmac(digest, key);
  for (const part of parts) hmac.update(part.kind === 'text' ? part.text : values[part.kind]);
  return hmac.digest(encoding);
}
