import { EVENT_FIELDS } from './flow-event.ts';

/** Everything that the nodes ask of the gateway. */
export const DOCUMENTS = {
  viewer: 'query NodesViewer { viewer { name scopes } }',
  eventTypes: 'query NodesEventTypes { eventTypes { name description deprecated } }',
  applyFlow: `mutation NodesApplyFlow($input: ApplyFlowInput!) {
    applyFlow(input: $input) { endpoints { key endpoint { id active paused } resultsEndpointId } }
  }`,
  work: `subscription NodesWork($consumer: ID!, $prefetch: Int) {
    work(consumer: $consumer, prefetch: $prefetch) { deliveryId token attempt context event { ${EVENT_FIELDS} } }
  }`,
  settle: 'mutation NodesSettle($items: [SettleInput!]!) { settle(items: $items) { id } }',
  troubles: `subscription NodesTroubles($filter: DeliveryFilter) {
    deliveries(filter: $filter) { node { id status attemptCount nextAttemptAt endpoint { id } } }
  }`,
  sendToEndpoint: `mutation NodesSendToEndpoint($input: SendToEndpointInput!) {
    sendToEndpoint(input: $input) { id status }
  }`,
  publishEvent: `mutation NodesPublishEvent($input: PublishEventInput!) {
    publishEvent(input: $input) { ${EVENT_FIELDS} catalogued schemaErrors }
  }`,
} as const;
