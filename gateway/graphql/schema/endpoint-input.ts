import { builder } from '../builder.ts';
import type { InputFields } from '../builder.ts';
import { SuccessStatusEnum } from './endpoint.ts';

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
  description: 'Changes of an endpoint; what is left out stays.',
  fields: (t) => ({
    url: t.string({ description: 'Where to send to.' }),
    events: t.stringList({ description: 'Exact names, families like `work_order.*`, or `*`.' }),
    paused: t.boolean({ description: 'Paused: new deliveries are made and held until it goes on.' }),
    ...endpointSettings(t),
  }),
});
