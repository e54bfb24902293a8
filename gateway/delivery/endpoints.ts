import { isDeepStrictEqual } from 'node:util';
import type { SecretBox } from '../access/secret-box.ts';
import type { Clock } from '../clock.ts';
import { badInput, HooklineError } from '../errors.ts';
import { refusedDestination } from '../egress/destination.ts';
import type { VettedDestination } from '../egress/destination.ts';
import type { AppliedEndpoint, Endpoint, EndpointService, FlowEndpointInput } from '../services.ts';
import { generateKeyPair, generateSecret } from '../signing/secret.ts';
import type { RandomBytes, SigningKeyPair } from '../signing/secret.ts';
import { createRecordMirror } from '../store/record-mirror.ts';
import type { RecordStore } from '../store/records.ts';
import type { LaneSettings } from '../store/store.ts';
import {
  changedEndpoint,
  disabledEndpoint,
  keysAfter,
  newEndpoint,
  noEvents,
  retiredEndpoint,
  rotatedEndpoint,
} from './endpoint-changes.ts';
import { checkDeclarations, planDeclaration } from './endpoint-declaration.ts';
import type { Declaration } from './endpoint-declaration.ts';
import { checkEndpointInput } from './endpoint-input.ts';
import type { CheckExpression } from './endpoint-input.ts';
import { openEndpoint, sealEndpoint } from './endpoint-record.ts';
import type { OpenEndpoint, ReadableEndpoint, StoredEndpoint } from './endpoint-record.ts';
import { compileEndpoint, laneSettingsOf } from './endpoint-runtime.ts';
import type { EndpointRuntime } from './endpoint-runtime.ts';

/** All endpoints, in memory and ready for use; changes are durable before they show. */
export interface EndpointRegistry extends EndpointService, AsyncDisposable {
  /** Retired ones too: deliveries to them may be open. */
  runtime(id: string): EndpointRuntime | null;
  /** Those that are retired. */
  retired(): string[];
  /** Those that get new deliveries, paused ones included. The same array until something changes. */
  active(): readonly EndpointRuntime[];
  /**
   * What a flow declares is made, changed or left as it is; what vanished is retired with its history, what comes
   * back is itself again. All or nothing. Declaring the same again writes nothing.
   * @throws BAD_USER_INPUT naming the field, e.g. `endpoints.0.url`
   */
  declare(owner: string, inputs: readonly FlowEndpointInput[]): Promise<DeclaredEndpoint[]>;
  /**
   * Tells how lanes may run: at once for every endpoint, retired ones included, then whenever it changes for one.
   * There is one listener; a later one takes its place.
   */
  onLanes(listener: (lanes: LaneSettings[]) => void): void;
  /**
   * Switches an endpoint off because its receiver asked for that, or cannot be reached any more. One that is off
   * already is left as it is.
   * @param reason shown as its `disabledReason`, until a person switches it on again
   */
  disable(id: string, reason: string): Promise<void>;
  /** The endpoints in use that deliver to an inspector bin, directly or by its address. */
  deliveringTo(binId: string): BinSender[];
}

/** An endpoint that delivers to an inspector bin, with what its signatures are checked with. */
export interface BinSender {
  id: string;
  /** The one in use first. */
  secrets: string[];
  /** `whpk_…`; absent where it has no ed25519 key. */
  publicKey?: string;
  /** Lower-case names. */
  secretHeaders: string[];
}

/** An endpoint a flow declared. */
export interface DeclaredEndpoint extends AppliedEndpoint {
  /** True where this call made it: only then does where to start from count. */
  created: boolean;
}

export interface EndpointRegistryOptions {
  records: RecordStore;
  secretBox: SecretBox;
  /** The egress policy's word on a URL. */
  vet: (url: string) => Promise<VettedDestination>;
  /** Whether there is an inspector bin of this id. */
  hasBin: (binId: string) => boolean;
  checkExpression: CheckExpression;
  clock: Clock;
  random: RandomBytes;
}

/** Reads what is stored; follows what other processes change. @throws CONFIGURATION where a secret cannot be opened */
export async function createEndpointRegistry(options: EndpointRegistryOptions): Promise<EndpointRegistry> {
  const { records, secretBox, checkExpression, clock, random } = options;
  const known = new Map<string, { open: OpenEndpoint; runtime: EndpointRuntime }>();
  let active: EndpointRuntime[] | undefined;
  let onLanes: ((lanes: LaneSettings[]) => void) | undefined;
  const makeKeys = (): SigningKeyPair => generateKeyPair(random);

  const show = (id: string, stored: ReadableEndpoint): void => {
    const open = openEndpoint(id, stored, secretBox);
    const before = known.get(id)?.open.endpoint;
    known.set(id, { open, runtime: compileEndpoint(open) });
    active = undefined;
    const lanes = laneSettingsOf(open.endpoint);
    if (before === undefined || !isDeepStrictEqual(lanes, laneSettingsOf(before))) onLanes?.([lanes]);
  };
  const mirror = await createRecordMirror<StoredEndpoint>({
    records,
    clock,
    collection: 'endpoints',
    onChange: (id, record) => {
      // Endpoints are never deleted: their history needs them.
      if (record !== undefined) show(id, record.value);
    },
  });
  for (const { id, value } of mirror.all()) show(id, value);

  /** Seals what has changed. @returns null where nothing has */
  const seal = (after: OpenEndpoint): StoredEndpoint | null => {
    if (isDeepStrictEqual(known.get(after.endpoint.id)?.open, after)) return null;
    return sealEndpoint({ ...after, endpoint: { ...after.endpoint, updatedAt: clock.now() } }, secretBox);
  };

  const change = async (id: string, next: (before: OpenEndpoint) => OpenEndpoint): Promise<Endpoint> => {
    await mirror.update(id, (stored) => {
      const before = known.get(id)?.open;
      if (stored === undefined || before === undefined) throw notFound(id);
      return seal(next(before)) ?? stored;
    });
    return known.get(id)!.open.endpoint;
  };

  /** Every URL goes through the policy that its deliveries will go through. */
  const vetKind = async (url: string, field: string): Promise<'WEBHOOK' | 'INSPECTOR'> => {
    const vetted = await options.vet(url);
    if (vetted.kind === 'refused') throw refusedDestination(field, vetted.refusal);
    if (vetted.kind === 'network') return 'WEBHOOK';
    if (options.hasBin(vetted.binId)) return 'INSPECTOR';
    throw badInput(field, `There is no inspector bin "${vetted.binId}": create one, and deliver to its id.`);
  };

  const vetDeclared = async ({ id, url, at }: Declaration): Promise<Endpoint['kind']> => {
    if (url === null) return 'FLOW';
    const present = known.get(id)?.open.endpoint;
    // A deploy must not fail because DNS is away: what was vetted once is vetted again by each connection anyway.
    return present?.url === url && present.kind !== 'FLOW' ? present.kind : vetKind(url, `${at}url`);
  };

  return {
    list: () => [...known.values()].map(({ open }) => open.endpoint).filter(isInUse),
    find: (id) => known.get(id)?.open.endpoint ?? null,
    runtime: (id) => known.get(id)?.runtime ?? null,
    retired: () =>
      [...known.values()]
        .map(({ open }) => open.endpoint)
        .flatMap(({ id, retiredAt }) => (retiredAt === null ? [] : [id])),
    active: () => (active ??= [...known.values()].map(({ runtime }) => runtime).filter(getsNew)),

    async create(input) {
      const checked = checkEndpointInput(input, checkExpression);
      const { url, secret = generateSecret(random) } = checked;
      if (url === undefined)
        throw badInput('url', 'An endpoint needs a URL, such as https://host.example/path.');
      if (checked.events === undefined || checked.events.length === 0) throw noEvents('events');
      const kind = await vetKind(url, 'url');
      const id = `ep_${Buffer.from(random(12)).toString('base64url')}`;
      const keys = keysAfter(checked.ed25519, undefined, makeKeys);
      const open = newEndpoint({ id, kind, url, secret, keys, nowMs: clock.now() }, checked);
      await mirror.update(id, () => sealEndpoint(open, secretBox));
      return { endpoint: known.get(id)!.open.endpoint, secret };
    },

    async update(id, input) {
      const checked = checkEndpointInput(input, checkExpression);
      const present = known.get(id)?.open.endpoint;
      if (present === undefined) throw notFound(id);
      const { url } = checked;
      const isNew = url !== undefined && url !== present.url && isInUse(present);
      const kind = isNew ? await vetKind(url, 'url') : url === undefined ? undefined : present.kind;
      return change(id, (before) => changedEndpoint(before, checked, kind, makeKeys));
    },

    async remove(id) {
      const present = known.get(id)?.open.endpoint;
      if (present === undefined || !isInUse(present)) return false;
      await change(id, (before) => retiredEndpoint(before, clock.now()));
      return true;
    },

    async rotateSecret(id, overlapSeconds = DEFAULT_OVERLAP_SECONDS) {
      const secret = generateSecret(random);
      const endpoint = await change(id, (before) =>
        rotatedEndpoint(before, secret, overlapSeconds, clock.now()),
      );
      return { endpoint, secret };
    },

    async declare(owner, inputs) {
      const declarations = checkDeclarations(owner, inputs, checkExpression);
      const kinds = await Promise.all(declarations.map(vetDeclared));
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        const before = new Map([...known].map(([id, { open }]) => [id, open]));
        const context = {
          owner,
          kinds,
          present: before,
          generateSecret: () => generateSecret(random),
          makeKeys,
          nowMs: clock.now(),
        };
        const changes = planDeclaration(declarations, context).flatMap((after) => {
          const { id } = after.endpoint;
          const value = seal(after);
          return value === null ? [] : [{ id, value, ifVersion: mirror.get(id)?.version ?? 0 }];
        });
        if (!(await mirror.commit(changes))) continue;
        return declarations.filter(isAskedFor).map(({ id, key, resultsTo }) => {
          const { endpoint, secret } = known.get(id)!.open;
          return {
            key,
            endpoint,
            secret: secret === before.get(id)?.secret ? null : secret,
            resultsEndpointId: resultsTo,
            created: !before.has(id),
          };
        });
      }
      throw new HooklineError(
        'CONFLICT',
        `Others keep declaring endpoints of "${owner}" at the same time: deploy again.`,
      );
    },

    onLanes(listener) {
      onLanes = listener;
      listener([...known.values()].map(({ open }) => laneSettingsOf(open.endpoint)));
    },

    async disable(id, reason) {
      await change(id, (before) => disabledEndpoint(before, reason));
    },

    deliveringTo: (binId) =>
      [...known.values()]
        .filter(({ open: { endpoint } }) => isInUse(endpoint) && goesTo(endpoint.url, binId))
        .map(({ runtime: { endpoint, secrets } }) => {
          const { current, old } = secrets(clock.now());
          const secretHeaders = endpoint.headers.filter(({ secret }) => secret).map(({ name }) => name);
          const { id, publicKey } = endpoint;
          return {
            id,
            secrets: [current, ...old],
            ...(publicKey === null ? {} : { publicKey }),
            secretHeaders,
          };
        }),

    [Symbol.asyncDispose]: () => {
      mirror.close();
      return Promise.resolve();
    },
  };
}

const DEFAULT_OVERLAP_SECONDS = 86_400;
const MAX_ATTEMPTS = 20;

function isInUse({ retiredAt }: Endpoint): boolean {
  return retiredAt === null;
}

function getsNew({ endpoint }: EndpointRuntime): boolean {
  return endpoint.active && isInUse(endpoint);
}

function goesTo(url: string, binId: string): boolean {
  return url === `inspector:${binId}` || URL.parse(url)?.pathname.endsWith(`/inspect/${binId}`) === true;
}

/** The endpoints for results come along with others, and are named there. */
function isAskedFor({ at }: Declaration, index: number, all: readonly Declaration[]): boolean {
  return all[index - 1]?.at !== at;
}

function notFound(id: string): HooklineError {
  return new HooklineError(
    'NOT_FOUND',
    `There is no endpoint "${id.slice(0, 60)}": list the endpoints to see their ids.`,
  );
}
