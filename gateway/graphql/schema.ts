import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import './schema/scalars.ts';
import './schema/node.ts';
import './schema/viewer.ts';
import './schema/event-type.ts';
import './schema/source.ts';
import './schema/event.ts';
import './schema/endpoint.ts';
import './schema/endpoint-mutations.ts';
import './schema/delivery.ts';
import './schema/delivery-mutations.ts';
import './schema/explanation.ts';
import './schema/replay.ts';
import './schema/key.ts';
import './schema/inspect.ts';
import './schema/flow.ts';
import './schema/work.ts';

/** The whole schema. Committed as `schema.graphql`, so that a change of the API shows as one. */
export const schema: GraphQLSchema = builder.toSchema();
