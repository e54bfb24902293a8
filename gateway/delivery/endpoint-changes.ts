import { badInput, HooklineError } from '../errors.ts';
import type { EndpointKind } from '../services.ts';
import type { SigningKeyPair } from '../signing/secret.ts';
import type { CheckedEndpointInput } from './endpoint-input.ts';
import type { OpenEndpoint } from './endpoint-record.ts';
import { canSignStandard } from './endpoint-secret.ts';
import { DEFAULT_SETTINGS } from './endpoint-settings.ts';

/** What is new about an endpoint that is made. */
export interface NewEndpoint {
  id: string;
  kind: EndpointKind;
  url: string;
  /** null for a flow. */
  secret: string | null;
  /** The ed25519 keys to sign with too; null for none. */
  keys: SigningKeyPair | null;
  nowMs: number;
}

/**
 * An endpoint as it begins.
 * @param at what stands before the field names in errors
 * @throws BAD_USER_INPUT for settings that do not go together
 */
export function newEndpoint(made: NewEndpoint, input: CheckedEndpointInput, at = ''): OpenEndpoint {
  const { secret: _secret, ed25519: _ed25519, ...settings } = input;
  const open: OpenEndpoint = {
    endpoint: {
      id: made.id,
      kind: made.kind,
      url: made.url,
      ...DEFAULT_SETTINGS,
      urlIsSecret: isCapabilityUrl(made.url),
      ...settings,
      publicKey: made.keys?.publicKey ?? null,
      disabledReason: null,
      declaredBy: null,
      resultsTo: null,
      retiredAt: null,
      createdAt: made.nowMs,
      updatedAt: made.nowMs,
    },
    secret: made.secret,
    oldSecrets: [],
    declaredSecret: null,
    privateKey: made.keys?.privateKey ?? null,
  };
  return requireConsistent(open, at);
}

/**
 * The ed25519 keys of an endpoint after `ed25519` was said: kept where there are some, forgotten where it is
 * switched off.
 * @param before undefined for a new one
 */
export function keysAfter(
  ed25519: boolean | undefined,
  before: OpenEndpoint | undefined,
  makeKeys: () => SigningKeyPair,
): SigningKeyPair | null {
  const { privateKey = null } = before ?? {};
  const { publicKey = null } = before?.endpoint ?? {};
  const kept = privateKey === null || publicKey === null ? null : { privateKey, publicKey };
  if (ed25519 === undefined) return kept;
  return ed25519 ? (kept ?? makeKeys()) : null;
}

/**
 * An endpoint after somebody changed it. A secret that is given takes the place of all others at once.
 * @param kind what the URL that is given makes of it; undefined where none is
 * @throws BAD_USER_INPUT for what an endpoint of this kind cannot have, CONFLICT for a retired one
 */
export function changedEndpoint(
  before: OpenEndpoint,
  input: CheckedEndpointInput,
  kind: EndpointKind | undefined,
  makeKeys: () => SigningKeyPair,
): OpenEndpoint {
  const { endpoint } = before;
  if (endpoint.retiredAt !== null) {
    throw new HooklineError(
      'CONFLICT',
      `The endpoint "${endpoint.id}" is deleted and only its history is kept: create a new one.`,
    );
  }
  if (endpoint.kind === 'FLOW') refuseForFlow(input, '');
  if (input.events?.length === 0 && endpoint.declaredBy === null) throw noEvents('events');
  const { secret, ed25519, ...settings } = input;
  const keys = keysAfter(ed25519, before, makeKeys);
  const urlIsSecret = endpoint.urlIsSecret || (input.url !== undefined && isCapabilityUrl(input.url));
  return requireConsistent({
    ...before,
    endpoint: {
      ...endpoint,
      urlIsSecret,
      ...settings,
      kind: kind ?? endpoint.kind,
      publicKey: keys?.publicKey ?? null,
      disabledReason: input.active === true ? null : endpoint.disabledReason,
    },
    ...(secret === undefined ? {} : { secret, oldSecrets: [] }),
    privateKey: keys?.privateKey ?? null,
  });
}

/**
 * An endpoint after its secret was replaced.
 * @param overlapSeconds how long the replaced one goes on signing; 0 ends every older one at once
 * @throws BAD_USER_INPUT, CONFLICT
 */
export function rotatedEndpoint(
  before: OpenEndpoint,
  secret: string,
  overlapSeconds: number,
  nowMs: number,
): OpenEndpoint {
  const { endpoint } = before;
  if (endpoint.retiredAt !== null || before.secret === null) {
    const why = before.secret === null ? 'is a flow, for which nothing is signed' : 'is deleted';
    throw new HooklineError('CONFLICT', `The endpoint "${endpoint.id}" ${why}: it has no secret to rotate.`);
  }
  const isInRange = overlapSeconds >= 0 && overlapSeconds <= LONGEST_OVERLAP_SECONDS;
  if (!isInRange)
    throw badInput('overlapSeconds', 'The overlap must be a number of seconds from 0 to 2592000 (30 days).');
  const valid = before.oldSecrets.filter(({ until }) => until > nowMs);
  if (valid.length >= MAX_OLD_SECRETS && overlapSeconds > 0) {
    throw new HooklineError(
      'CONFLICT',
      `${MAX_OLD_SECRETS} older secrets of "${endpoint.id}" still sign: wait until one ends, or rotate with an overlap of 0, which ends them all.`,
    );
  }
  const replaced = { secret: before.secret, until: nowMs + Math.round(overlapSeconds * 1000) };
  return {
    ...before,
    secret,
    // Whatever order they end in, the schemes that have room for one signature use the one that was there first.
    oldSecrets: overlapSeconds === 0 ? [] : [...valid, replaced],
  };
}

/** An endpoint that nothing is sent to any more, its history kept. */
export function retiredEndpoint(before: OpenEndpoint, nowMs: number): OpenEndpoint {
  return { ...before, endpoint: { ...before.endpoint, retiredAt: before.endpoint.retiredAt ?? nowMs } };
}

/** An endpoint that the gateway switched off; one that is off already stays off for the reason it has. */
export function disabledEndpoint(before: OpenEndpoint, disabledReason: string): OpenEndpoint {
  if (!before.endpoint.active) return before;
  return { ...before, endpoint: { ...before.endpoint, active: false, disabledReason } };
}

/** @throws BAD_USER_INPUT for what only places outside have */
export function refuseForFlow(input: CheckedEndpointInput, at: string): void {
  for (const [name, what] of Object.entries(OUTSIDE_ONLY)) {
    const value = input[name as keyof typeof OUTSIDE_ONLY] ?? false;
    if (value === false || (Array.isArray(value) && value.length === 0)) continue;
    throw badInput(at + name, `A flow has no ${what} of its own, its events go to Node-RED: leave it out.`);
  }
}

/** For an endpoint that would never get anything. */
export function noEvents(field: string): HooklineError {
  return badInput(
    field,
    'The events must name at least one event type, such as work_order.created, work_order.* or *.',
  );
}

/**
 * URLs that whoever knows them may post to: showing one is giving it away.
 * @returns true for the incoming webhooks of Slack, Zapier, Make, Power Automate and Teams
 */
export function isCapabilityUrl(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? '';
  return CAPABILITY_HOSTS.some((pattern) => pattern.test(host));
}

const OUTSIDE_ONLY = {
  url: 'URL',
  secret: 'secret',
  headers: 'headers',
  payload: 'payload',
  ed25519: 'ed25519 key',
} as const;

const LONGEST_OVERLAP_SECONDS = 30 * 86_400;
const MAX_OLD_SECRETS = 8;

const CAPABILITY_HOSTS = [
  /^hooks\.(?:slack|slack-gov|zapier)\.com$/,
  /(?:^|\.)hook\.(?:[\w-]+\.)?make\.com$/,
  /\.(?:logic\.azure\.com|powerplatform\.com|webhook\.office\.com)$/,
];

/** What one setting demands of the others, which only the whole endpoint shows. */
function requireConsistent(open: OpenEndpoint, at = ''): OpenEndpoint {
  const { legacySignature, orderBy, newestOnly, onFailed } = open.endpoint;
  const canSign =
    open.secret === null || legacySignature || open.privateKey !== null || canSignStandard(open.secret);
  if (!canSign) {
    throw badInput(
      `${at}legacySignature`,
      'This secret is good for the legacy signature alone: keep legacySignature on, switch ed25519 on, or give a secret of whsec_ and base64.',
    );
  }
  if (newestOnly && orderBy === null) {
    throw badInput(
      `${at}newestOnly`,
      'Only the newest of each key can be kept where orderBy gives the key: give orderBy too, or switch newestOnly off.',
    );
  }
  if (onFailed === 'SKIP' && orderBy === null) {
    throw badInput(
      `${at}onFailed`,
      'Without orderBy nothing waits for a delivery that has FAILED: give orderBy too, or set onFailed to WAIT.',
    );
  }
  return open;
}
