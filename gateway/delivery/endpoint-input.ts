import { DURATION_FORM, parseDuration } from '../duration.ts';
import { badInput } from '../errors.ts';
import { typePatternProblem } from '../events/subscription.ts';
import type { Endpoint, EndpointInput } from '../services.ts';
import { checkHeaders } from './endpoint-headers.ts';
import { checkEndpointSecret } from './endpoint-secret.ts';
import type { EndpointSettings } from './endpoint-settings.ts';

/** Says what is wrong with a JSONata expression, in one sentence that holds the remedy; null where nothing is. */
export type CheckExpression = (source: string) => string | null;

/** The settings that were given, checked; what was not given is not in it. */
export type CheckedEndpointInput = Partial<EndpointSettings> & { secret?: string; ed25519?: boolean };

/**
 * Checks everything about an input that can be checked without asking anybody; the destination comes later, and so
 * does what only the whole endpoint shows. Takes values as they came over the wire: types are checked too. Null
 * clears what can be nothing (schedule, expressions, limits), an empty text clears an expression; any other setting
 * null leaves alone.
 * @param problemOf checks each expression
 * @param at what stands before the field names in errors, e.g. `endpoints.0.`
 * @throws BAD_USER_INPUT naming the field and what is accepted
 */
export function checkEndpointInput(
  input: EndpointInput & { urlIsSecret?: boolean; includeTest?: boolean },
  problemOf: CheckExpression,
  at = '',
): CheckedEndpointInput {
  const checked: Record<string, unknown> = {};
  for (const [name, check] of Object.entries(CHECKS)) {
    const value: unknown = input[name as keyof typeof input];
    if (value !== undefined && value !== null) checked[name] = check(value, at + name, problemOf);
    else if (value === null && CLEARABLE.has(name)) checked[name] = null;
  }
  return checked;
}

/** What an endpoint may be given, and how each is checked. */
const CHECKS: Record<
  keyof CheckedEndpointInput,
  (value: unknown, field: string, problemOf: CheckExpression) => unknown
> = {
  url: (value, field) => checkText(value, field, 'The URL', 1, 2048),
  urlIsSecret: checkFlag,
  description: (value, field) => checkText(value, field, 'The description', 0, 500),
  events: checkEvents,
  active: checkFlag,
  paused: checkFlag,
  headers: checkHeaders,
  machines: (value, field) => checkNames(value, field, 'machine id'),
  machineGroups: (value, field) => checkNames(value, field, 'machine group'),
  delaySeconds: (value, field) => checkNumber(value, field, 'The delay', 'seconds', 0, 86_400),
  retrySchedule: checkSchedule,
  timeoutSeconds: (value, field) => checkNumber(value, field, 'The time-out', 'seconds', 0.1, 60),
  maxConcurrency: checkConcurrency,
  successStatus: checkSuccessStatus,
  legacySignature: checkFlag,
  includeTest: checkFlag,
  filter: (value, field, problemOf) => checkExpression(value, field, 'The filter', problemOf),
  payload: (value, field, problemOf) => checkExpression(value, field, 'The payload', problemOf),
  orderBy: (value, field, problemOf) => checkExpression(value, field, 'The order key', problemOf),
  onFailed: checkOnFailed,
  newestOnly: checkFlag,
  rateLimitPerSecond: (value, field) =>
    checkNumber(value, field, 'The rate limit', 'deliveries per second', 0.01, 10_000),
  timeToLiveSeconds: (value, field) =>
    checkNumber(value, field, 'The time to live', 'seconds', 1, 30 * 86_400),
  secret: checkEndpointSecret,
  ed25519: checkFlag,
};

type Clearable = {
  [Name in keyof EndpointSettings]: null extends EndpointSettings[Name] ? Name : never;
}[keyof EndpointSettings];

/** The settings of which null is a value: the schedule of the installation, no expression, no limit. */
const CLEARABLE: ReadonlySet<string> = new Set<Clearable>([
  'retrySchedule',
  'filter',
  'payload',
  'orderBy',
  'rateLimitPerSecond',
  'timeToLiveSeconds',
]);

const MAX_PATTERNS = 200;
const MAX_NAMES = 1000;
const MAX_ATTEMPTS = 50;
const LONGEST_PAUSE_MS = 30 * 86_400_000;
const MAX_EXPRESSION_BYTES = 4096;

function checkText(value: unknown, field: string, what: string, min: number, max: number): string {
  if (typeof value === 'string' && value.length >= min && value.length <= max) return value;
  throw badInput(field, `${what} must be text of ${min === 0 ? 'at most' : `${min} to`} ${max} characters.`);
}

function checkFlag(value: unknown, field: string): boolean {
  if (typeof value === 'boolean') return value;
  throw badInput(field, `"${field}" must be true or false.`);
}

function checkNumber(
  value: unknown,
  field: string,
  what: string,
  unit: string,
  min: number,
  max: number,
): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw badInput(field, `${what} must be a number of ${unit} from ${min} to ${max}.`);
}

function checkExpression(
  value: unknown,
  field: string,
  what: string,
  problemOf: CheckExpression,
): string | null {
  if (typeof value !== 'string' || Buffer.byteLength(value, 'utf8') > MAX_EXPRESSION_BYTES) {
    throw badInput(
      field,
      `${what} must be a JSONata expression of at most ${MAX_EXPRESSION_BYTES} bytes, or empty for none.`,
    );
  }
  if (value.trim() === '') return null;
  const problem = problemOf(value);
  if (problem !== null) throw badInput(field, `${what} cannot be used. ${problem}`);
  return value;
}

function checkOnFailed(value: unknown, field: string): Endpoint['onFailed'] {
  if (value === 'WAIT' || value === 'SKIP') return value;
  throw badInput(field, 'What a key does when its head has FAILED must be WAIT or SKIP.');
}

function checkConcurrency(value: unknown, field: string): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 256) return value as number;
  throw badInput(field, 'The number of deliveries under way at a time must be a whole number from 1 to 256.');
}

function checkSuccessStatus(value: unknown, field: string): Endpoint['successStatus'] {
  if (value === 'ANY_2XX' || value === 'EXACTLY_200') return value;
  throw badInput(field, 'The status that counts as success must be ANY_2XX or EXACTLY_200.');
}

function checkEvents(value: unknown, field: string): string[] {
  if (!Array.isArray(value) || value.length > MAX_PATTERNS) {
    throw badInput(
      field,
      `The events must be a list of at most ${MAX_PATTERNS} event types, such as work_order.created, work_order.* or *.`,
    );
  }
  for (const [index, pattern] of value.entries()) {
    const problem = typeof pattern === 'string' ? typePatternProblem(pattern) : 'an event type must be text';
    if (problem !== null)
      throw badInput(`${field}.${index}`, `${problem[0]!.toUpperCase()}${problem.slice(1)}.`);
  }
  return [...new Set(value as string[])];
}

function checkNames(value: unknown, field: string, what: string): string[] {
  const isGood = (name: unknown): boolean => typeof name === 'string' && name !== '' && name.length <= 200;
  if (Array.isArray(value) && value.length <= MAX_NAMES && value.every(isGood))
    return [...new Set(value as string[])];
  throw badInput(
    field,
    `This must be a list of at most ${MAX_NAMES} entries, each a ${what} of 1 to 200 characters; an empty list means all.`,
  );
}

function checkSchedule(value: unknown, field: string): string[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_ATTEMPTS) {
    throw badInput(
      field,
      `The retry schedule must be a list of 1 to ${MAX_ATTEMPTS} pauses, one before each attempt, such as 0s, 5s, 30s.`,
    );
  }
  for (const [index, pause] of value.entries()) {
    const pauseMs = typeof pause === 'string' ? parseDuration(pause) : null;
    if (pauseMs === null || pauseMs > LONGEST_PAUSE_MS) {
      throw badInput(
        `${field}.${index}`,
        `A pause in the retry schedule must be ${DURATION_FORM}, and at most 30d.`,
      );
    }
  }
  return value as string[];
}
