import type { MachineRef } from './event.ts';

/** The vendors whose payloads are understood. */
export type DialectName = 'machshop' | 'machinemetrics';

/**
 * What one request says, before the gateway gives it an id and a place in the journal.
 * There is no hop count here: it travels in a header, never in the body.
 */
export interface ParsedEvent {
  /** The sender's own id; `null` where there is none that can be used, and one has to be derived. */
  id: string | null;
  /** The catalogue's spelling where the name is a known one, else the sender's to the letter; `unknown` without one. */
  type: string;
  /** Unix milliseconds; `null` where the sender gives no time, or none that can be read. */
  occurredAt: number | null;
  /** What subscribers receive as `data`: the sender's own words, always JSON, possibly `null`. */
  data: unknown;
  machine: MachineRef | null;
  /** The sender marks it as a test. */
  test: boolean;
}

/** The event, or one sentence that says why the bytes are not one. The sentence quotes nothing of the payload. */
export type ParseResult = { ok: true; event: ParsedEvent } | { ok: false; problem: string };

/** How a vendor signs, unless a source says otherwise. */
export interface SignatureDefaults {
  /** The header that holds the signature, lower case. */
  headerName: string;
  /** Text in front of the encoded digest, e.g. `sha256=`. */
  prefix: string;
  encoding: 'hex' | 'base64';
  /** Hash of the HMAC. */
  digest: 'sha256' | 'sha384' | 'sha512';
  /** The signed content, over `{timestamp}`, `{id}` and `{body}` (the raw bytes). */
  template: string;
}

/** The port between a vendor's payloads and the one event shape: one adapter per vendor. */
export interface Dialect {
  readonly name: DialectName;
  readonly signatureDefaults: Readonly<SignatureDefaults>;
  /**
   * Reads one request body. Pure, never throws, and does not check `data` against the catalogue:
   * an unknown type or an odd shape is an event all the same, because refusing it would only
   * make the sender retry for a week.
   */
  parse(raw: Uint8Array): ParseResult;
}
