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
import { normaliseTriggerName } from './normalise-type.ts';

/**
 * Machine monitoring: `{ event, timestamp, machine, … }`, snake_case, without an id. All members but the
 * envelope's own become `data`, in the vendor's spelling.
 *
 * The vendor publishes neither the name of its signature header nor the algorithm: the defaults here are
 * the plainest guess, and a source's settings replace them.
 */
export const machinemetrics: Dialect = {
  name: 'machinemetrics',
  signatureDefaults: {
    headerName: 'x-machinemetrics-signature',
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

const ID_NAMES = ['id'] as const;
const TYPE_NAMES = ['event', 'type'] as const;

function eventFrom(envelope: JsonObject): ParsedEvent {
  const id = takeMember(envelope, ID_NAMES, readId);
  const typeName = takeMember(envelope, TYPE_NAMES, readTypeName);
  const occurredAt = readTimestamp(envelope['timestamp']);
  const members = membersExcept(envelope, [
    id?.name,
    typeName?.name,
    occurredAt === null ? undefined : 'timestamp',
    typeof envelope['test'] === 'boolean' ? 'test' : undefined,
    'signature',
  ]);
  const data = dataIn(members);
  return {
    id: id?.value ?? null,
    type: typeName === null ? UNKNOWN_TYPE : normaliseTriggerName(typeName.value),
    occurredAt,
    data,
    machine: machineIn(data) ?? machineIn(members),
    test: envelope['test'] === true || isTestEventId(id?.value),
  };
}

/** A lone `data` member is the data (our own envelope, sent on); beside others it is one member of many. */
function dataIn(members: JsonObject): unknown {
  return Object.hasOwn(members, 'data') && Object.keys(members).length === 1 ? members['data'] : members;
}

function machineIn(data: unknown): MachineRef | null {
  if (!isJsonObject(data)) return null;
  return readMachine(data['machine']) ?? readMachine(data['machine_id']);
}
