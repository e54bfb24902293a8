import type { LaneState } from '../../store/store.ts';
import { createBatchLoader } from '../batch-loader.ts';
import { builder } from '../builder.ts';
import type { GraphqlContext } from '../context.ts';

const CircuitEnum = builder.enumType('Circuit', {
  description: 'Whether deliveries go to an endpoint at all, by how its receiver has answered.',
  values: {
    CLOSED: { value: 'closed', description: 'They go.' },
    OPEN: { value: 'open', description: 'Too many failures in a row: they wait for the next probe.' },
    PROBING: { value: 'probing', description: 'One at a time goes, to see whether the receiver is back.' },
  } satisfies Record<string, { value: LaneState['circuit']; description: string }>,
});

/** How an endpoint stands: what is under way, what slows it down. */
export const EndpointStateObject = builder.objectRef<LaneState>('EndpointState').implement({
  description: 'How an endpoint stands right now: what is under way, and what slows it down.',
  fields: (t) => ({
    inFlight: t.exposeInt('inFlight', { description: 'Deliveries under way.' }),
    concurrency: t.exposeInt('concurrency', {
      description:
        'How many may be under way at a time: less than `maxConcurrency` for a while after the receiver said that it was too much.',
    }),
    restUntil: t.expose('restUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'It rests until then, because the receiver asked for that; null: it does not.',
    }),
    circuit: t.expose('circuit', { type: CircuitEnum, description: 'Whether deliveries go at all.' }),
    nextProbeAt: t.expose('nextProbeAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When one goes at the earliest to see whether the receiver is back; null: circuit CLOSED.',
    }),
    failuresInRow: t.exposeInt('failuresInRow', { description: 'Failed attempts since the last success.' }),
    failingSince: t.expose('failingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'When the first of these failed; null: it is well.',
    }),
    lastSuccessAt: t.expose('lastSuccessAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When an attempt last succeeded; null: none has.',
    }),
  }),
});

/** How an endpoint stands, in one question to the store with all others of the same moment. */
export function loadEndpointState(id: string, context: GraphqlContext): Promise<LaneState> {
  let load = loaders.get(context);
  if (load === undefined) {
    load = createBatchLoader((ids) => context.services.store.laneStates(ids));
    loaders.set(context, load);
  }
  return load(id);
}

const loaders = new WeakMap<GraphqlContext, (id: string) => Promise<LaneState>>();
