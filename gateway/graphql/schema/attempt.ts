import type { AttemptOutcome } from '../../store/store.ts';
import type { Attempt, DeliveryRow } from '../../store/store-reader.ts';
import { builder } from '../builder.ts';
import { visibleSentHeaders } from '../secret-masking.ts';

/** One try, and the delivery it was for. */
export interface AttemptOfDelivery {
  attempt: Attempt;
  delivery: DeliveryRow;
}

const AttemptOutcomeEnum = builder.enumType('AttemptOutcome', {
  description: 'What became of an attempt.',
  values: {
    SUCCESS: { description: 'The receiver took it.' },
    DNS: { description: 'The name of the host could not be resolved.' },
    CONNECT: { description: 'No connection came about.' },
    TLS: { description: 'The connection could not be secured.' },
    TIMEOUT: { description: 'No answer came in time.' },
    HTTP_STATUS: { description: 'The answer was no success.' },
    REDIRECT: { description: 'The answer sent elsewhere; that is never followed.' },
    AUTH: { description: 'The credential was not accepted.' },
    REFUSED_BY_POLICY: { description: 'The egress policy does not allow the address.' },
    FLOW_ERROR: { description: 'The flow reported that it failed; its own words are in `error`.' },
    UNKNOWN: { description: 'Sent, but no answer came: it may have arrived.' },
  } satisfies Record<AttemptOutcome, { description: string }>,
});

const ErrorInfo = builder.objectRef<{ code: string; message: string }>('ErrorInfo').implement({
  description: 'What went wrong.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'A stable code.' }),
    message: t.exposeString('message', { description: 'A sentence for people.' }),
  }),
});

/** One try to deliver. */
export const AttemptObject = builder.objectRef<AttemptOfDelivery>('Attempt').implement({
  description: 'One try to deliver, as it was.',
  fields: (t) => ({
    number: t.int({
      description: 'From 1, counted over all retries.',
      resolve: ({ attempt }) => attempt.number,
    }),
    startedAt: t.field({
      type: 'DateTime',
      description: 'When it began.',
      resolve: ({ attempt }) => attempt.startedAt,
    }),
    durationMs: t.float({
      nullable: true,
      description: 'How long it took, in milliseconds; null where nobody measured.',
      resolve: ({ attempt }) => attempt.durationMs,
    }),
    outcome: t.field({
      type: AttemptOutcomeEnum,
      description: 'What became of it.',
      resolve: ({ attempt }) => attempt.outcome,
    }),
    statusCode: t.int({
      nullable: true,
      description: 'The HTTP status of the answer; null without one.',
      resolve: ({ attempt }) => attempt.statusCode,
    }),
    requestHeaders: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The headers that were sent; secret ones are masked without `webhooks:write`.',
      resolve: ({ attempt, delivery }, _args, { services, principal }) => {
        const sent = parseHeaders(attempt.requestHeaders);
        return sent && visibleSentHeaders(sent, services.endpoints.find(delivery.endpointId), principal);
      },
    }),
    requestBody: t.string({
      nullable: true,
      description: 'What was sent. Needs `events:read`.',
      resolve: async ({ attempt, delivery }, _args, { loaders }) =>
        attempt.requestBody ?? (await loaders.event(delivery.eventId))?.body,
    }),
    responseHeaders: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The headers of the answer.',
      resolve: ({ attempt }) => parseHeaders(attempt.responseHeaders),
    }),
    responseBody: t.string({
      nullable: true,
      description: 'The beginning of the answer.',
      resolve: ({ attempt }) => attempt.responseBody,
    }),
    error: t.field({
      type: ErrorInfo,
      nullable: true,
      description: 'What went wrong; null where nothing did.',
      resolve: ({ attempt }) => attempt.error,
    }),
  }),
});

function parseHeaders(text: string | null): Readonly<Record<string, unknown>> | null {
  return text === null ? null : (JSON.parse(text) as Record<string, unknown>);
}
