import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { findEventType } from './catalog.ts';

/** More faults than this help nobody. */
const MOST_ERRORS = 10;

/** A member's name can be as long as the sender likes; a message cannot. */
const LONGEST_MESSAGE = 200;

/**
 * Says how the data of an event differs from what the catalogue describes. Meant for people who look at an
 * event or publish one; receiving never asks. The schema is compiled at the first question about a type.
 * @returns one short message per fault, at most 10; none for data as described and for types not in the
 *   catalogue. They name members and what is expected there, and quote no values.
 */
export function schemaErrors(type: string, data: unknown): string[] {
  const validate = validatorOf(type);
  if (validate === undefined || validate(data)) return [];
  const messages = new Set((validate.errors ?? []).map(describeError));
  return [...messages].slice(0, MOST_ERRORS);
}

let ajv: Ajv2020 | undefined;
const validators = new Map<string, ValidateFunction>();

function validatorOf(type: string): ValidateFunction | undefined {
  const known = validators.get(type);
  if (known !== undefined) return known;
  const entry = findEventType(type);
  if (entry === undefined) return undefined;
  // Formats are annotations in draft 2020-12; a vendor's odd date is no fault of the event.
  ajv ??= new Ajv2020({ allErrors: true, allowUnionTypes: true, validateFormats: false });
  const validate = ajv.compile(entry.schema);
  validators.set(type, validate);
  return validate;
}

function describeError({ instancePath, message, keyword, params }: ErrorObject): string {
  const place = `data${instancePath.replaceAll('/', '.')}`;
  const fault =
    keyword === 'type'
      ? `must be ${[params['type']].flat().join(' or ')}`
      : (message ?? 'is not as expected');
  return `${place} ${fault}`.slice(0, LONGEST_MESSAGE);
}
