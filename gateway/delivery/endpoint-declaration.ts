import { createHash } from 'node:crypto';
import { badInput } from '../errors.ts';
import type { EndpointKind, FlowEndpointInput } from '../services.ts';
import type { SigningKeyPair } from '../signing/secret.ts';
import { keysAfter, newEndpoint, refuseForFlow, retiredEndpoint } from './endpoint-changes.ts';
import { checkEndpointInput } from './endpoint-input.ts';
import type { CheckedEndpointInput, CheckExpression } from './endpoint-input.ts';
import type { OpenEndpoint } from './endpoint-record.ts';

/** One endpoint as a flow declares it, checked. */
export interface Declaration {
  id: string;
  key: string;
  kind: 'FLOW' | 'WEBHOOK';
  /** Where a webhook goes; null for a flow. */
  url: string | null;
  input: CheckedEndpointInput;
  /** The endpoint that results of this one go to, declared along with it; null: nobody asked. */
  resultsTo: string | null;
  /** Where it stands in the input, for errors: `endpoints.0.` */
  at: string;
}

/**
 * Checks what a flow declares. A webhook that wants its results back brings a second declaration: the flow
 * endpoint `<key>:results`, which subscribes to nothing.
 * @throws BAD_USER_INPUT naming the field
 */
export function checkDeclarations(
  owner: string,
  inputs: readonly FlowEndpointInput[],
  problemOf: CheckExpression,
): Declaration[] {
  if (!isName(owner))
    throw badInput('owner', 'The owner must be text of 1 to 200 characters that names the Node-RED.');
  if (inputs.length > MAX_DECLARED) {
    throw badInput(
      'endpoints',
      `At most ${MAX_DECLARED} endpoints can be declared at a time; these are ${inputs.length}.`,
    );
  }
  const declarations = inputs.flatMap((input, index) =>
    checkDeclaration(owner, input, problemOf, `endpoints.${index}.`),
  );
  const keys = new Set<string>();
  for (const { key, at } of declarations) {
    if (keys.has(key))
      throw badInput(`${at}key`, `The key "${key}" is declared twice: give each endpoint its own.`);
    keys.add(key);
  }
  return declarations;
}

/** The same owner and key always give the same id, so that declaring again finds what was declared before. */
export function declaredEndpointId(owner: string, key: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([owner, key]))
    .digest('base64url');
  return `ep_${hash.slice(0, 22)}`;
}

export interface DeclarationContext {
  owner: string;
  /** What its URL makes of each declaration, in their order; FLOW for a flow. */
  kinds: readonly EndpointKind[];
  /** Every endpoint there is now, by id. */
  present: ReadonlyMap<string, OpenEndpoint>;
  generateSecret: () => string;
  makeKeys: () => SigningKeyPair;
  nowMs: number;
}

/**
 * What becomes of the endpoints of an owner by a declaration: those declared, and those that vanished from it, which
 * are retired. Some of them may be just as they were.
 * @throws BAD_USER_INPUT
 */
export function planDeclaration(
  declarations: readonly Declaration[],
  context: DeclarationContext,
): OpenEndpoint[] {
  const { owner, kinds, present, nowMs } = context;
  const ids = new Set(declarations.map(({ id }) => id));
  const vanished = [...present.values()].filter(
    ({ endpoint }) => endpoint.declaredBy?.owner === owner && !ids.has(endpoint.id),
  );
  return [
    ...declarations.map((declaration, index) =>
      declaredEndpoint(declaration, kinds[index] ?? declaration.kind, context),
    ),
    ...vanished.map((before) => retiredEndpoint(before, nowMs)),
  ];
}

/**
 * A declaration says everything: what it leaves out is at its default. Only `active` and `paused` belong to the
 * console after the first time, and a secret counts only where the flow gives another one than before, so that a
 * deploy undoes neither a switch nor a rotation.
 */
function declaredEndpoint(
  { id, key, url, input, resultsTo, at }: Declaration,
  kind: EndpointKind,
  { owner, present, generateSecret, makeKeys, nowMs }: DeclarationContext,
): OpenEndpoint {
  const before = present.get(id);
  if (before !== undefined && (before.endpoint.kind === 'FLOW') !== (kind === 'FLOW')) {
    throw badInput(
      `${at}kind`,
      `"${key}" was declared as ${before.endpoint.kind} before: give the other kind a key of its own.`,
    );
  }
  const given = input.secret !== before?.declaredSecret ? input.secret : undefined;
  const secret = kind === 'FLOW' ? null : (given ?? before?.secret ?? generateSecret());
  const keys = keysAfter(input.ed25519 ?? false, before, makeKeys);
  const made = { id, kind, url: url ?? `flow:${owner}/${key}`, secret, keys, nowMs };
  const fresh = newEndpoint(made, input, at);
  const { active, paused, disabledReason, createdAt, updatedAt } = before?.endpoint ?? fresh.endpoint;
  return {
    ...fresh,
    endpoint: {
      ...fresh.endpoint,
      active,
      paused,
      disabledReason,
      declaredBy: { owner, key },
      resultsTo,
      createdAt,
      updatedAt,
    },
    oldSecrets: given === undefined ? (before?.oldSecrets ?? []) : [],
    declaredSecret: input.secret ?? null,
  };
}

const MAX_DECLARED = 1000;

function checkDeclaration(
  owner: string,
  input: FlowEndpointInput,
  problemOf: CheckExpression,
  at: string,
): Declaration[] {
  const { key, kind } = input;
  if (!isName(key))
    throw badInput(`${at}key`, 'The key must be text of 1 to 200 characters that names the node.');
  const checked = checkEndpointInput(input, problemOf, at);
  if (kind === 'FLOW') {
    refuseForFlow(checked, at);
    return [flowDeclaration(owner, key, checked, at)];
  }
  if ((kind as string) !== 'WEBHOOK') throw badInput(`${at}kind`, 'The kind must be FLOW or WEBHOOK.');
  const { url } = checked;
  if (url === undefined)
    throw badInput(`${at}url`, 'A webhook needs a URL, such as https://host.example/path.');
  const results = input.results === true ? [flowDeclaration(owner, `${key}:results`, {}, at)] : [];
  const resultsTo = results[0]?.id ?? null;
  return [{ id: declaredEndpointId(owner, key), key, kind, url, input: checked, resultsTo, at }, ...results];
}

function flowDeclaration(owner: string, key: string, input: CheckedEndpointInput, at: string): Declaration {
  return { id: declaredEndpointId(owner, key), key, kind: 'FLOW', url: null, input, resultsTo: null, at };
}

function isName(name: unknown): boolean {
  return typeof name === 'string' && name !== '' && name.length <= 200;
}
