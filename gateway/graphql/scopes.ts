import type { Scope } from '../services.ts';

/** Any one of these scopes is enough (`admin` always is). `anyone`: every valid key. */
export type NeededScopes = readonly [Scope, ...Scope[]] | 'anyone';

/**
 * Who may use which field. Root fields must be here (what is not may be used by `admin` alone); of the other
 * fields those are here that lead to more than the way to them allows. `oneById` are the types that `node`
 * leads to: being asked for by id is allowed to all, what is seen then needs the scope of its type.
 */
export const SCOPES_BY_FIELD: Readonly<Record<string, NeededScopes>> = {
  'Query.node': 'anyone',
  'Query.nodes': 'anyone',
  'Query.viewer': 'anyone',
  'Query.eventTypes': 'anyone',
  'Query.events': ['events:read'],
  'Query.event': ['events:read'],
  'Query.sources': ['events:read'],
  'Query.endpoints': ['webhooks:read'],
  'Query.endpoint': ['webhooks:read'],
  'Query.deliveries': ['webhooks:read'],
  'Query.delivery': ['webhooks:read'],
  'Query.explainDelivery': ['webhooks:read'],
  'Query.replayJob': ['webhooks:read'],
  'Query.replayJobs': ['webhooks:read'],
  'Query.keys': ['admin'],
  'Query.inspectRequests': ['webhooks:read'],

  'Mutation.publishEvent': ['events:publish'],
  'Mutation.createEndpoint': ['webhooks:write'],
  'Mutation.updateEndpoint': ['webhooks:write'],
  'Mutation.deleteEndpoint': ['webhooks:write'],
  'Mutation.rotateEndpointSecret': ['webhooks:write'],
  'Mutation.sendTestEvent': ['webhooks:write', 'flow'],
  'Mutation.sendToEndpoint': ['webhooks:write', 'flow'],
  'Mutation.retryDelivery': ['webhooks:write'],
  'Mutation.cancelDelivery': ['webhooks:write'],
  'Mutation.replayEvents': ['webhooks:write'],
  'Mutation.cancelReplay': ['webhooks:write'],
  'Mutation.createKey': ['admin'],
  'Mutation.revokeKey': ['admin'],
  'Mutation.createInspectBin': ['webhooks:write'],
  'Mutation.applyFlow': ['flow'],
  'Mutation.settle': ['flow'],

  'Subscription.events': ['events:read'],
  'Subscription.deliveries': ['webhooks:read'],
  'Subscription.work': ['flow'],

  // Whoever may only publish sees of an event what it said itself, and that it was accepted.
  'Event.data': ['events:read'],
  'Event.raw': ['events:read'],
  'Event.machine': ['events:read'],
  'Event.deliveries': ['webhooks:read'],
  'Delivery.event': ['events:read'],
  'Attempt.requestBody': ['events:read'],
};

/** What the types behind `Node` need, where a fragment narrows to them. */
export const SCOPES_BY_NODE_TYPE: Readonly<Record<string, NeededScopes>> = {
  Event: ['events:read'],
  Source: ['events:read'],
  Endpoint: ['webhooks:read'],
  Delivery: ['webhooks:read'],
  Key: ['admin'],
};
