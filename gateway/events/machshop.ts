import { isTestEventId } from './derived-id.ts';
import type { Dialect, ParsedEvent, ParseResult } from './dialect.ts';
import {
  membersExcept,
  readId,
  readMachine,
  readTimestamp,
  readTypeName,
  takeMember,
  UNKNOWN_TYPE,
} from './envelope-members.ts';
import type { MachineRef } from './event.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from './json-object.ts';
import { normaliseType } from './normalise-type.ts';

/**
 * The MES: `{ id, type, timestamp, data }`, one resource per event in `data`, camelCase.
 *
 * Its other senders use other member names for the same things (deprecation notices have `event` and no id,
 * the ERP side has `eventId` and `eventType`), so these are understood too. A `signature` member is
 * never looked at: it cannot be part of the bytes it signs, the header decides.
 */
export const machshop: Dialect = {
  name: 'machshop',
  signatureDefaults: {
    headerName: 'x-mes-signature',
    prefix: '',
    encoding: 'hex',
    digest: 'sha256',
    template: '{body}',
  },
  parse(raw): ParseResult {
    const parsed = parseJsonObject(raw);
    return parsed.ok ? { ok: true, event: eventFrom(parsed.value) } : parsed;
  },
};

const ID_NAMES = ['id', 'eventId'] as const;
const TYPE_NAMES = ['type', 'event', 'eventType'] as const;
const DATA_NAMES = ['data', 'eventData'] as const;

/** What the vendor's plugin queue hangs on the type of the events its Test button sends. */
const TEST_SUFFIX = ':test';
/** What the vendor's ERP side sends when a connection is tried out. */
const CONNECTION_TEST_TYPE = 'integration.test.success';

function eventFrom(envelope: JsonObject): ParsedEvent {
  const id = takeMember(envelope, ID_NAMES, readId);
  const typeName = takeMember(envelope, TYPE_NAMES, readTypeName);
  const sentType = typeName?.value ?? UNKNOWN_TYPE;
  const hasTestSuffix = sentType.endsWith(TEST_SUFFIX) && sentType.length > TEST_SUFFIX.length;
  const type = normaliseType(hasTestSuffix ? sentType.slice(0, -TEST_SUFFIX.length) : sentType);
  const occurredAt = readTimestamp(envelope['timestamp']);

  const dataName = DATA_NAMES.find((name) => Object.hasOwn(envelope, name));
  const data =
    dataName === undefined
      ? membersExcept(envelope, [
          id?.name,
          typeName?.name,
          occurredAt === null ? undefined : 'timestamp',
          typeof envelope['test'] === 'boolean' ? 'test' : undefined,
          'signature',
        ])
      : envelope[dataName];

  return {
    id: id?.value ?? null,
    type,
    occurredAt,
    data,
    machine: findMachine(data),
    test:
      envelope['test'] === true ||
      hasTestSuffix ||
      type === CONNECTION_TEST_TYPE ||
      isTestEventId(id?.value) ||
      (isJsonObject(data) && data['test'] === true),
  };
}

/** The resources that `data` wraps; an integrator's MES may put the machine inside. */
const RESOURCE_NAMES = ['operation', 'workOrder', 'inspection', 'ncr', 'movement'] as const;

/** The documented events name no machine; where an installation adds one, it is in one of these places. */
function findMachine(data: unknown): MachineRef | null {
  if (!isJsonObject(data)) return null;
  const machine = machineIn(data);
  if (machine !== null) return machine;
  for (const name of RESOURCE_NAMES) {
    const resource = data[name];
    if (isJsonObject(resource)) return machineIn(resource);
  }
  return null;
}

function machineIn(holder: JsonObject): MachineRef | null {
  return (
    readMachine(holder['machine']) ??
    readMachine(holder['equipment']) ??
    readMachine(holder['machineId']) ??
    readMachine(holder['equipmentId'])
  );
}
