import type { DialectName } from './dialect.ts';
import type { Envelope } from './event.ts';

/** A JSON Schema (draft 2020-12) or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One entry of the catalogue. */
export interface EventType {
  /** The name as events carry it and subscriptions give it. */
  readonly name: string;
  /** When it happens and what it says, in a sentence or two. */
  readonly description: string;
  /** Whose payload `data` is; `hookline` for the gateway's own events about its work. */
  readonly dialect: DialectName | 'hookline';
  readonly deprecated: boolean;
  /**
   * Describes `data`. Tolerant: it demands only what every known sample has, lets anything be added, and
   * lists known words as examples, not as an enumeration, because vendors add words without notice.
   */
  readonly schema: JsonSchema;
  /** A whole event as subscribers receive it. */
  readonly example: Envelope;
}

/** An object whose members may all be missing but the `required` ones; others may be added. */
export function objectOf(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
  description?: string,
): JsonSchema {
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    properties,
    ...(required.length === 0 ? {} : { required }),
  };
}

/** As `objectOf`, and `null` is accepted in its place. */
export function optionalObjectOf(
  properties: Readonly<Record<string, JsonSchema>>,
  description?: string,
): JsonSchema {
  return { ...objectOf(properties, [], description), type: ['object', 'null'] };
}

/** The whole schema of an event's `data`. */
export function dataSchema(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...objectOf(properties, required) };
}

/** An identifier: never `null`. */
export function identifier(description: string): JsonSchema {
  return { type: 'string', minLength: 1, description };
}

/** Text or `null`. */
export function text(description: string): JsonSchema {
  return { type: ['string', 'null'], description };
}

/** Text or `null`, usually one of the known words. */
export function word(description: string, known: readonly string[]): JsonSchema {
  return { type: ['string', 'null'], description, examples: known };
}

/** A time in ISO 8601, UTC, or `null`. */
export function time(description: string): JsonSchema {
  return { type: ['string', 'null'], format: 'date-time', description };
}

/** A number or `null`; the description says the unit. */
export function quantity(description: string): JsonSchema {
  return { type: ['number', 'null'], description };
}
