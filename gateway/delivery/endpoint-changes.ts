import { badInput, HooklineError } from '../errors.ts';
import type { EndpointKind } from '../services.ts';
import { DEFAULT_SETTINGS } from './endpoint-input.ts';
import type { CheckedEndpointInput } from './endpoint-input.ts';
import type { OpenEndpoint } from './endpoint-record.ts';
import { canSignStandard } from './endpoint-secret.ts';

/** What is new about an endpoint that is made. */
export interface NewEndpoint {
  id: string;
  kind: EndpointKind;
  url: string;
  /** null for a flow. */
  secret: string | null;
  nowMs: number;
}

/** An endpoint as it begins. @throws BAD_USER_INPUT for a secret that could sign nothing */
export function newEndpoint(made: NewEndpoint, input: CheckedEndpointInput): OpenEndpoint {
  const { secret: _, ...settings } = input;
  const open: OpenEndpoint = {
    endpoint: {
      id: made.id,
      kind: made.kind,
      url: made.url,
      ...DEFAULT_SETTINGS,
      urlIsSecret: isCapabilityUrl(made.url),
      ...settings,
      declaredBy: null,
      resultsTo: null,
      retiredAt: null,
      createdAt: made.nowMs,
      updatedAt: made.nowMs,
    },
    secret: made.secret,
    oldSecrets: [],
    declaredSecret: null,
    disabledReason: null,
  };
  return requireUsableSecret(open);
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
  const { secret, ...settings } = input;
  const urlIsSecret = endpoint.urlIsSecret || (input.url !== undefined && isCapabilityUrl(input.url));
  return requireUsableSecret({
    ...before,
    endpoint: { ...endpoint, urlIsSecret, ...settings, kind: kind ?? endpoint.kind },
    ...(secret === undefined ? {} : { secret, oldSecrets: [] }),
    disabledReason: input.active === true ? null : before.disabledReason,
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

/** An endpoint that the gateway switched off. */
export function disabledEndpoint(before: OpenEndpoint, reason: string): OpenEndpoint {
  return { ...before, endpoint: { ...before.endpoint, active: false }, disabledReason: reason };
}

/** @throws BAD_USER_INPUT for what only places outside have */
export function refuseForFlow(input: CheckedEndpointInput, at: string): void {
  for (const name of ['url', 'secret', 'headers'] as const) {
    if (input[name] === undefined || input[name].length === 0) continue;
    throw badInput(at + name, `A flow has no ${name} of its own, its events go to Node-RED: leave it out.`);
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

const LONGEST_OVERLAP_SECONDS = 30 * 86_400;
const MAX_OLD_SECRETS = 8;

const CAPABILITY_HOSTS = [
  /^hooks\.(?:slack|slack-gov|zapier)\.com$/,
  /(?:^|\.)hook\.(?:[\w-]+\.)?make\.com$/,
  /\.(?:logic\.azure\.com|powerplatform\.com|webhook\.office\.com)$/,
];

function requireUsableSecret(open: OpenEndpoint): OpenEndpoint {
  if (open.secret === null || open.endpoint.legacySignature || canSignStandard(open.secret)) return open;
  throw badInput(
    'legacySignature',
    'This secret is good for the legacy signature alone: keep legacySignature on, or give a secret of whsec_ and base64.',
  );
}
