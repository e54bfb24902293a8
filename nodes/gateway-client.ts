import type { GatewayAddress } from './client/gateway-address.ts';
import { DOCUMENTS } from './client/gateway-documents.ts';
import { createGatewayRequest } from './client/gateway-http.ts';
import { createGatewayLive } from './client/gateway-live.ts';
import type { SubscriptionHandlers } from './client/gateway-live.ts';
import type { LiveState } from './client/gateway-socket.ts';
import { flowEvent } from './client/flow-event.ts';
import type { FlowEvent, WireEvent } from './client/flow-event.ts';
import { realWait } from './client/growing-pause.ts';
import type { Wait } from './client/growing-pause.ts';
import { retryPassing } from './client/retry-passing.ts';
import { createSettleBatch } from './client/settle-batch.ts';
import type { Settlement } from './client/settle-batch.ts';

/**
 * The one way from a Node-RED to the gateway: GraphQL over HTTP and websocket, with the words of the nodes.
 * Everything throws `GatewayError`, and ends with it when the client is closed.
 */
export interface GatewayClient {
  readonly state: LiveState;
  /** Who the key belongs to. */
  viewer(): Promise<Viewer>;
  /** The catalogue, for pickers. */
  eventTypes(): Promise<EventTypeEntry[]>;
  /** Declares what the flows hold; what is not in it any more is retired. Idempotent. */
  applyFlow(owner: string, endpoints: readonly FlowEndpoint[]): Promise<AppliedEndpoint[]>;
  /**
   * Takes the work of a flow endpoint, leased until settled, subscribing again after each loss.
   * @returns a function that hands back what is not settled.
   */
  work(consumer: string, prefetch: number, handlers: WorkHandlers): () => void;
  /** Reports what became of work; sent together with others of the same turn. */
  settle(settlement: Settlement): Promise<void>;
  /** Follows the deliveries to these endpoints that do not simply arrive. @returns a function that ends it. */
  troubles(endpointIds: readonly string[], handlers: TroubleHandlers): () => void;
  /** One message to one endpoint; durable when it resolves. Tried again while the gateway is away for a moment. */
  sendToEndpoint(input: SendToEndpoint): Promise<SentDelivery>;
  /** Publishes an event; durable when it resolves. Tried again while the gateway is away for a moment. */
  publishEvent(input: PublishEvent): Promise<PublishedEvent>;
  /** Resolves when the settlements that wait were answered or given up, after 0.8 s at the latest. */
  flush(): Promise<void>;
  /** Flushes, tells the gateway that it leaves, and goes; takes 0.8 s at the most. */
  close(): Promise<void>;
}

export interface GatewayClientOptions {
  address: GatewayAddress;
  /** Bearer key. */
  key: string;
  /** Called with each change of the connection. */
  onState(state: LiveState): void;
  fetch?: typeof fetch;
  wait?: Wait;
  random?: () => number;
  /** How long to wait for an answer. @default 10000 */
  timeoutMs?: number;
  /** How often to ask an open connection for a sign of life. @default 10000 */
  keepAliveMs?: number;
}

export interface Viewer {
  name: string;
  scopes: string[];
}

export interface EventTypeEntry {
  name: string;
  description: string;
  deprecated: boolean;
}

/** An endpoint as a node declares it. */
export interface FlowEndpoint {
  /** The node's id. */
  key: string;
  kind: 'FLOW' | 'WEBHOOK';
  description: string;
  events?: string[];
  machines?: string[];
  includeTest?: boolean;
  startFrom?: 'now' | 'oldest';
  url?: string;
  urlIsSecret?: boolean;
  secret?: string;
  headers?: { name: string; value: string; secret: boolean }[];
  delaySeconds?: number;
  timeoutSeconds?: number;
  retrySchedule?: string[];
  /** WEBHOOK: results come back as work of `resultsEndpointId`. */
  results?: boolean;
}

export interface AppliedEndpoint {
  key: string;
  endpoint: { id: string; active: boolean; paused: boolean };
  resultsEndpointId: string | null;
}

/** One leased piece of work. */
export interface WorkItem {
  deliveryId: string;
  token: string;
  /** 1 for the first. */
  attempt: number;
  event: FlowEvent;
  /** What `sendToEndpoint` was given, where this is its result. */
  context: unknown;
}

export type WorkHandlers = Omit<SubscriptionHandlers<never>, 'onData'> & { onItem(item: WorkItem): void };

/** A delivery that did not arrive at the first try, as it stands now. */
export interface TroubledDelivery {
  id: string;
  status: string;
  attemptCount: number;
  /** ISO 8601; null where nothing further happens by itself. */
  nextAttemptAt: string | null;
  endpoint: { id: string };
}

export type TroubleHandlers = Omit<SubscriptionHandlers<never>, 'onData'> & {
  onDelivery(delivery: TroubledDelivery): void;
};

export interface SendToEndpoint {
  endpointId: string;
  payload: unknown;
  eventId: string | null;
  idempotencyKey: string;
  context: unknown;
}

export interface SentDelivery {
  id: string;
  status: string;
}

export interface PublishEvent {
  id: string;
  type: string;
  data: unknown;
  /** When it happened, ISO 8601; now where left out. */
  timestamp?: string;
  test: boolean;
  hops: number;
}

/** The stored event, and what the catalogue says about it. */
export interface PublishedEvent {
  event: FlowEvent;
  /** Its type is in the catalogue. */
  catalogued: boolean;
  /** Where its data differs from the catalogue's schema. */
  schemaErrors: string[];
}

/** Opens a client. Nothing is connected before it is needed. */
export function createGatewayClient(options: GatewayClientOptions): GatewayClient {
  const { address, key, wait = realWait, random = Math.random } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const { timeoutMs, keepAliveMs } = options;
  const request = createGatewayRequest({
    address,
    key,
    fetch: options.fetch ?? fetch,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const live = createGatewayLive({
    address,
    key,
    onState: (state) => options.onState(state),
    wait,
    random,
    ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
  });
  const batch = createSettleBatch({
    send: async (items) => {
      await request(DOCUMENTS.settle, { items }, signal);
    },
    wait,
    random,
    signal,
  });
  const patience = { tries: 4, wait, random, signal };
  const flush = async (): Promise<void> => {
    const answered = new AbortController();
    // Whichever comes first; a wait that is cut short rejects, and that is of no interest.
    await Promise.race([batch.flush(), realWait(FLUSH_MS, answered.signal).catch(() => undefined)]);
    answered.abort();
  };

  return {
    get state() {
      return live.state;
    },
    viewer: async () => (await request<{ viewer: Viewer }>(DOCUMENTS.viewer, {}, signal)).viewer,
    eventTypes: async () =>
      (await request<{ eventTypes: EventTypeEntry[] }>(DOCUMENTS.eventTypes, {}, signal)).eventTypes,
    applyFlow: async (owner, endpoints) => {
      const data = await request<{ applyFlow: { endpoints: AppliedEndpoint[] } }>(
        DOCUMENTS.applyFlow,
        { input: { owner, endpoints } },
        signal,
      );
      return data.applyFlow.endpoints;
    },
    work: (consumer, prefetch, handlers) =>
      live.subscribe<{ work: Omit<WorkItem, 'event'> & { event: WireEvent } }>(
        DOCUMENTS.work,
        { consumer, prefetch },
        {
          onData: ({ work }) => handlers.onItem({ ...work, event: flowEvent(work.event) }),
          onError: handlers.onError,
        },
      ),
    settle: (settlement) => batch.settle(settlement),
    troubles: (endpointIds, handlers) =>
      live.subscribe<{ deliveries: { node: TroubledDelivery } }>(
        DOCUMENTS.troubles,
        { filter: { endpoints: endpointIds, statuses: TROUBLED } },
        { onData: ({ deliveries }) => handlers.onDelivery(deliveries.node), onError: handlers.onError },
      ),
    sendToEndpoint: (input) =>
      retryPassing(async () => {
        const data = await request<{ sendToEndpoint: SentDelivery }>(
          DOCUMENTS.sendToEndpoint,
          { input },
          signal,
        );
        return data.sendToEndpoint;
      }, patience),
    publishEvent: (input) =>
      retryPassing(async () => {
        const data = await request<{
          publishEvent: WireEvent & { catalogued: boolean; schemaErrors: string[] };
        }>(DOCUMENTS.publishEvent, { input }, signal);
        const { catalogued, schemaErrors } = data.publishEvent;
        return { event: flowEvent(data.publishEvent), catalogued, schemaErrors };
      }, patience),
    flush,
    close: async () => {
      await flush();
      live.close();
      closing.abort();
    },
  };
}

/** Node-RED should not notice that a node closes. */
const FLUSH_MS = 800;

const TROUBLED = ['RETRYING', 'FAILED', 'EXHAUSTED', 'REJECTED', 'HELD'];
