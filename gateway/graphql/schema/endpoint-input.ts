import { builder } from '../builder.ts';
import type { InputFields } from '../builder.ts';
import { OnFailedEnum, SuccessStatusEnum } from './endpoint.ts';

const HeaderInput = builder.inputType('HeaderInput', {
  description: 'A header to send along.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Its name.' }),
    value: t.string({ required: true, description: 'Its value.' }),
    secret: t.boolean({
      description: 'Masks its value for readers without `webhooks:write`; false where left out.',
    }),
  }),
});

/** The settings that an endpoint has however it is declared. */
export function endpointSettings(t: InputFields) {
  return {
    description: t.string({ description: 'What it is for.' }),
    active: t.boolean({
      description: 'Off: nothing new is queued, and what was queued is held. On where left out.',
    }),
    secret: t.string({
      description:
        'Signs what is sent; `whsec_…`, or 16 to 64 bytes of your own. Made and shown once where left out.',
    }),
    headers: t.field({ type: [HeaderInput], description: 'Headers to send along.' }),
    machines: t.idList({ description: 'Only events of these machines; all where empty.' }),
    machineGroups: t.stringList({ description: 'Only events of these groups of machines; all where empty.' }),
    delaySeconds: t.float({ description: 'How long to wait before the first attempt.' }),
    retrySchedule: t.stringList({
      description: "Pauses before each attempt, like `0s`, `5s`, `30s`; null for the installation's.",
    }),
    timeoutSeconds: t.float({ description: 'How long to wait for an answer.' }),
    maxConcurrency: t.int({ description: 'Deliveries under way at a time, at most.' }),
    successStatus: t.field({
      type: SuccessStatusEnum,
      description: 'Which answers are success; any 2xx where left out.',
    }),
    legacySignature: t.boolean({ description: 'Whether to send `x-mes-signature` too.' }),
    ed25519: t.boolean({
      description:
        'Whether to sign with an ed25519 key too (`v1a`). Switching it on makes one, whose public half is `publicKey`; switching it off forgets it.',
    }),
    filter: t.string({
      description:
        'JSONata over the event, true to deliver: `data.quantity > 10`. Empty or null for everything that the types and machines let through.',
    }),
    payload: t.string({
      description:
        "JSONata over the event that gives the body's data. Empty or null for the event's own. Not for a FLOW.",
    }),
    orderBy: t.string({
      description:
        'JSONata over the event that gives a key, like `data.workOrder.id`: of one key strictly one after the other. Empty or null for unordered.',
    }),
    onFailed: t.field({
      type: OnFailedEnum,
      description: 'With `orderBy`: what a key does while its head has FAILED. WAIT where left out.',
    }),
    newestOnly: t.boolean({
      description: 'With `orderBy`: only the newest of a key matters, it takes the place of what waits.',
    }),
    rateLimitPerSecond: t.float({
      description: 'Deliveries a second at most, 0.01 to 10000; null for no limit.',
    }),
    timeToLiveSeconds: t.float({
      description:
        'What is not delivered this long after it was queued is EXPIRED, 1 to 2592000 (30 days); null for never.',
    }),
  };
}

/** A new endpoint. */
export const CreateEndpointInput = builder.inputType('CreateEndpointInput', {
  description: 'A new endpoint.',
  fields: (t) => ({
    url: t.string({
      required: true,
      description: 'Where to send to; `inspector:<bin>` for the built-in inspector.',
    }),
    events: t.stringList({
      required: true,
      description: 'Exact names, families like `work_order.*`, or `*`.',
    }),
    urlIsSecret: t.boolean({
      description: 'The URL is itself a secret: masked for readers without `webhooks:write`.',
    }),
    ...endpointSettings(t),
  }),
});

/** Changes of an endpoint. */
export const UpdateEndpointInput = builder.inputType('UpdateEndpointInput', {
  description:
    'Changes of an endpoint; what is left out stays, and so does what is null, unless its description says what null means.',
  fields: (t) => ({
    url: t.string({ description: 'Where to send to.' }),
    urlIsSecret: t.boolean({
      description: 'The URL is itself a secret: masked for readers without `webhooks:write`.',
    }),
    events: t.stringList({ description: 'Exact names, families like `work_order.*`, or `*`.' }),
    paused: t.boolean({ description: 'Paused: new deliveries are made and held until it goes on.' }),
    ...endpointSettings(t),
  }),
});
