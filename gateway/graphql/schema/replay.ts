import type { ReplayJob } from '../../services.ts';
import { builder } from '../builder.ts';
import { eventWhere } from '../filters.ts';
import { EndpointObject } from './endpoint.ts';
import { EventFilter } from './event-filter.ts';

const ReplayStatusEnum = builder.enumType('ReplayStatus', {
  description: 'Where a replay stands.',
  values: {
    RUNNING: { description: 'It queues deliveries, and goes on after a restart.' },
    DONE: { description: 'Everything is queued.' },
    CANCELLED: { description: 'Somebody called it off; what was queued by then stays queued.' },
    FAILED: { description: 'It cannot go on; `error` says why.' },
  } satisfies Record<ReplayJob['status'], { description: string }>,
});

const ReplayJobObject = builder.objectRef<ReplayJob>('ReplayJob').implement({
  description: 'A replay at work: a durable job that queues what happened once more, at a pace.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its id.' }),
    endpoint: t.field({
      type: EndpointObject,
      description: 'Where it goes.',
      resolve: ({ id, endpointId }, _args, { services }) => {
        const endpoint = services.endpoints.find(endpointId);
        if (endpoint === null)
          throw new Error(`replay ${id} goes to the endpoint ${endpointId}, which there never was`);
        return endpoint;
      },
    }),
    status: t.expose('status', { type: ReplayStatusEnum, description: 'Where it stands.' }),
    total: t.exposeInt('total', { description: 'Deliveries to be queued, counted when it began.' }),
    queued: t.exposeInt('queued', { description: 'Deliveries queued so far.' }),
    skipped: t.exposeInt('skipped', {
      description: 'Events passed over so far, because a delivery of them is still running.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'Why it cannot go on; null where it can.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it began.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was over; null while it is not.',
    }),
  }),
});

const ReplayPayload = builder.objectRef<{ count: number; job: ReplayJob | null }>('ReplayPayload').implement({
  description: 'What a replay queues.',
  fields: (t) => ({
    count: t.exposeInt('count', { description: 'How many deliveries would be, or are, queued.' }),
    job: t.expose('job', {
      type: ReplayJobObject,
      nullable: true,
      description: 'Follow it with `replayJob`; null for a dry run.',
    }),
  }),
});

const ReplayInput = builder.inputType('ReplayInput', {
  description:
    'Which events go to which endpoint once more. `onlyFailed` and `onlyMissing` exclude each other.',
  fields: (t) => ({
    endpointId: t.id({ required: true, description: 'Where to; it must subscribe to the events.' }),
    since: t.field({ type: 'DateTime', required: true, description: 'Received then or later.' }),
    until: t.field({
      type: 'DateTime',
      description: 'Received before; the beginning of the replay at the latest.',
    }),
    filter: t.field({ type: EventFilter, description: 'Which events; all of that time without it.' }),
    onlyFailed: t.boolean({
      description:
        'Only what has failed: EXHAUSTED, REJECTED, EXPIRED, CANCELLED, or FAILED with daily attempts left.',
    }),
    onlyMissing: t.boolean({
      description: 'Only what has no delivery: what the endpoint missed while it was off.',
    }),
    dryRun: t.boolean({ description: 'Count, and queue nothing.' }),
    perSecond: t.float({
      description: 'Deliveries queued per second: 50 unless said otherwise, 0.1 to 1000.',
    }),
  }),
});

builder.queryField('replayJob', (t) =>
  t.field({
    type: ReplayJobObject,
    nullable: true,
    description: 'One replay; null where there is none. Needs `webhooks:read`.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    resolve: (_root, { id }, { services }) => services.replays.find(id),
  }),
);

builder.queryField('replayJobs', (t) =>
  t.field({
    type: [ReplayJobObject],
    description: 'All replays, newest first; of those that are over the last 200. Needs `webhooks:read`.',
    resolve: (_root, _args, { services }) => services.replays.list(),
  }),
);

builder.mutationField('replayEvents', (t) =>
  t.field({
    type: ReplayPayload,
    description:
      'Queues what happened once more, as a durable job: what is over begins anew in a new generation, what was ' +
      'missed is made, what is still running is left alone. Needs `webhooks:write`.',
    args: { input: t.arg({ type: ReplayInput, required: true, description: 'What to replay.' }) },
    resolve: (_root, { input }, { services }) => {
      const { endpointId, since, until, filter, onlyFailed, onlyMissing, dryRun, perSecond } = input;
      return services.replays.start({
        endpointId,
        since,
        where: eventWhere(filter, services.sources),
        onlyFailed: onlyFailed ?? false,
        onlyMissing: onlyMissing ?? false,
        dryRun: dryRun ?? false,
        ...(until == null ? {} : { until }),
        ...(perSecond == null ? {} : { perSecond }),
      });
    },
  }),
);

builder.mutationField('cancelReplay', (t) =>
  t.field({
    type: ReplayJobObject,
    description: 'Stops a replay; what it has queued stays queued. Needs `webhooks:write`.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    resolve: (_root, { id }, { services }) => services.replays.cancel(id),
  }),
);
