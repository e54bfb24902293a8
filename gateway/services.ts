import type { Event } from './events/event.ts';
import type { DeliveryRow, EventWhere } from './store/store-reader.ts';
import type { Store } from './store/store.ts';

/**
 * What the product can do for whoever asks: GraphQL, REST and the command line are thin over these.
 * Every method throws `HooklineError` for what the caller can mend, and awaits durability before it returns.
 */
export interface Services {
  store: Store;
  events: EventService;
  endpoints: EndpointService;
  deliveries: DeliveryService;
  flows: FlowService;
  replays: ReplayService;
  explanations: ExplanationService;
  sources: SourceService;
  keys: KeyService;
  sessions: SessionService;
  inspector: InspectorService;
}

export interface EventService {
  /** Stores and fans out. The same id again is the same event: the stored one is returned. */
  publish(input: PublishInput): Promise<Event>;
}

export interface PublishInput {
  /** @default a new `evt_…` id */
  id?: string;
  type: string;
  /** Unix ms. @default now */
  occurredAt?: number;
  data: unknown;
  /** @default false */
  test?: boolean;
  /** Hops so far: a flow that publishes on because of an event passes that event's. @default 0 */
  hops?: number;
}

export type EndpointKind = 'WEBHOOK' | 'FLOW' | 'SLACK' | 'MAINTAINX' | 'INSPECTOR';

/** Any place we deliver to. Secrets are not in here. */
export interface Endpoint {
  id: string;
  kind: EndpointKind;
  /** Where it goes; `inspector:<bin>` for the inspector, `flow:<owner>/<key>` for a flow. */
  url: string;
  /** The URL itself is a credential: masked for readers without `webhooks:write`. */
  urlIsSecret: boolean;
  description: string;
  /** Exact names, families (`work_order.*`) and `*`. */
  events: string[];
  /** Off: nothing new is queued for it, what was queued is held. */
  active: boolean;
  /** Paused: new deliveries are made and held until it goes on. */
  paused: boolean;
  headers: { name: string; value: string; secret: boolean }[];
  /** Machine ids; empty: all. */
  machines: string[];
  machineGroups: string[];
  delaySeconds: number;
  /** Durations like `5s`; null: the installation's schedule. */
  retrySchedule: string[] | null;
  timeoutSeconds: number;
  maxConcurrency: number;
  successStatus: 'ANY_2XX' | 'EXACTLY_200';
  /** Send `x-mes-signature` too. */
  legacySignature: boolean;
  /** FLOW: take test events that were published to all. */
  includeTest: boolean;
  /** Which Node-RED declared it, and under which key; null: made by a person or a program. */
  declaredBy: { owner: string; key: string } | null;
  /** JSONata over the event, true to deliver; null: everything that the types and machines let through. */
  filter: string | null;
  /** JSONata over the event that gives the body's data; null: the event's own. */
  payload: string | null;
  /** JSONata over the event that gives the FIFO key; null: unordered. */
  orderBy: string | null;
  /** With `orderBy`: what a key does when its head has FAILED and goes on daily. */
  onFailed: 'WAIT' | 'SKIP';
  /** With `orderBy`: only the newest of a key matters; what waits is superseded by a newer one. */
  newestOnly: boolean;
  /** null: no limit. */
  rateLimitPerSecond: number | null;
  /** What was not delivered this long after it was queued is EXPIRED; null: never. */
  timeToLiveSeconds: number | null;
  /** ed25519 key that verifies the `v1a` signatures (`whpk_…`); null where none are made. */
  publicKey: string | null;
  /** Why the gateway switched it off; null where a person did, or nobody. */
  disabledReason: string | null;
  /** FLOW endpoint that gets a result event when a delivery to this one is over; null: nobody asked. */
  resultsTo: string | null;
  /** Unix ms since it is gone from its flow (or deleted), its history kept; null: in use. */
  retiredAt: number | null;
  createdAt: number;
  updatedAt: number;
}

export interface EndpointInput {
  url?: string;
  urlIsSecret?: boolean;
  events?: string[];
  description?: string;
  active?: boolean;
  paused?: boolean;
  secret?: string;
  headers?: { name: string; value: string; secret?: boolean }[];
  machines?: string[];
  machineGroups?: string[];
  delaySeconds?: number;
  retrySchedule?: string[] | null;
  timeoutSeconds?: number;
  maxConcurrency?: number;
  successStatus?: 'ANY_2XX' | 'EXACTLY_200';
  legacySignature?: boolean;
  filter?: string | null;
  payload?: string | null;
  orderBy?: string | null;
  onFailed?: 'WAIT' | 'SKIP';
  newestOnly?: boolean;
  rateLimitPerSecond?: number | null;
  timeToLiveSeconds?: number | null;
  /** Sign with an ed25519 key too; switching it on makes one, off forgets it. */
  ed25519?: boolean;
}

export interface EndpointService {
  /** Retired ones only when asked for by id. Oldest first. From memory: cheap. */
  list(): Endpoint[];
  find(id: string): Endpoint | null;
  /** `url` and `events` are required. The secret is shown this once. An `inspector:<bin>` URL makes kind INSPECTOR. */
  create(input: EndpointInput): Promise<{ endpoint: Endpoint; secret: string }>;
  update(id: string, input: EndpointInput): Promise<Endpoint>;
  /** Retires it: nothing is sent any more, its history stays. @returns false where it was gone already. */
  remove(id: string): Promise<boolean>;
  /** @param overlapSeconds how long the old secret goes on signing beside the new one. @default 86400 */
  rotateSecret(id: string, overlapSeconds?: number): Promise<{ endpoint: Endpoint; secret: string }>;
}

export interface DeliveryService {
  /** A catalogued example, marked as a test, to this endpoint alone. */
  sendTest(endpointId: string, eventType: string): Promise<DeliveryRow>;
  /** One message to one endpoint, outside any subscription; the same idempotency key again is the same delivery. */
  sendTo(input: SendToInput): Promise<DeliveryRow>;
  retry(id: string): Promise<DeliveryRow>;
  cancel(id: string): Promise<DeliveryRow>;
}

export interface ReplayInput {
  endpointId: string;
  /** Unix ms, by when the event was received; until is exclusive. */
  since: number;
  until?: number;
  where?: EventWhere;
  /** Only what has a delivery that is over without success, or FAILED. @default false */
  onlyFailed?: boolean;
  /** Only what matches and has no delivery: what was missed while it was off. @default false */
  onlyMissing?: boolean;
  /** Count only. @default false */
  dryRun?: boolean;
  /** @default 50 */
  perSecond?: number;
}

export interface ReplayJob {
  id: string;
  endpointId: string;
  status: 'RUNNING' | 'DONE' | 'CANCELLED' | 'FAILED';
  /** Deliveries to be queued, counted when it began. */
  total: number;
  queued: number;
  /** Passed over because a delivery of it is still running. */
  skipped: number;
  /** What went wrong, for FAILED. */
  error: string | null;
  createdAt: number;
  finishedAt: number | null;
}

/** Replays are durable, paced jobs: they go on after a restart. One delivery per event and endpoint, in a new generation. */
export interface ReplayService {
  start(input: ReplayInput): Promise<{ count: number; job: ReplayJob | null }>;
  find(id: string): ReplayJob | null;
  /** Newest first. */
  list(): ReplayJob[];
  cancel(id: string): Promise<ReplayJob>;
}

/** Why an event has, or has not, reached an endpoint. `code` is stable; `sentence` is for people. */
export interface DeliveryExplanation {
  eventId: string;
  endpointId: string;
  code:
    | 'DELIVERED'
    | 'TYPE_DOES_NOT_MATCH'
    | 'MACHINE_DOES_NOT_MATCH'
    | 'FILTER_IS_FALSE'
    | 'FILTER_FAILED'
    | 'TEST_NOT_WANTED'
    | 'ENDPOINT_WAS_OFF'
    | 'ENDPOINT_IS_NEWER'
    | 'ENDPOINT_DELETED'
    | 'HELD_PAUSED'
    | 'HELD_OFF'
    | 'WAITS_FOR_KEY'
    | 'CIRCUIT_OPEN'
    | 'RESTING'
    | 'RATE_LIMITED'
    | 'CONCURRENCY_FULL'
    | 'NOT_DUE_YET'
    | 'SENDING'
    | 'DUE'
    | 'OVER';
  sentence: string;
  delivery: DeliveryRow | null;
  /** Each clause of the subscription, and what it says about this event. */
  clauses: {
    clause: 'active' | 'types' | 'machines' | 'test' | 'filter';
    matched: boolean;
    detail: string;
  }[];
  /** The delivery whose key it waits for; null where it does not wait. */
  waitsForDeliveryId: string | null;
  orderKey: string | null;
  /** Number of the attempt that comes next, and when it may go at the earliest; null where none does. */
  nextAttempt: { number: number; at: number } | null;
}

export interface ExplanationService {
  /** @throws NOT_FOUND for an event or endpoint that is not there */
  explain(eventId: string, endpointId: string): Promise<DeliveryExplanation>;
}

export interface SendToInput {
  endpointId: string;
  payload: unknown;
  /** The event this message is about: its type is the message's type. */
  eventId?: string;
  runId?: string;
  idempotencyKey: string;
  /** Comes back with the result; JSON, at most 64 KiB. */
  context?: unknown;
}

export interface FlowService {
  /** Idempotent upsert of what a flow declares; what vanished from it is retired with its history. */
  apply(input: ApplyFlowInput): Promise<AppliedEndpoint[]>;
  /** Leased work for one flow endpoint. Ending the iteration hands back what was not settled. */
  work(endpointId: string, prefetch: number, connection: WorkConnection): AsyncIterable<readonly WorkLease[]>;
  settle(items: SettleItem[]): Promise<DeliveryRow[]>;
}

export interface WorkConnection {
  signal: AbortSignal;
  /** True where the consumer left without a word: what it held counts as a failed attempt, so that poison ends. */
  wasLost(): boolean;
}

export interface ApplyFlowInput {
  /** Names the Node-RED (its gateway config node): competing ones with the same owner share the work. */
  owner: string;
  endpoints: FlowEndpointInput[];
}

export interface FlowEndpointInput extends EndpointInput {
  /** The node's id. */
  key: string;
  kind: 'FLOW' | 'WEBHOOK';
  /** WEBHOOK: hand results back as work of the endpoint `<key>:results`, made along with it. */
  results?: boolean;
  /** FLOW, at first registration: `NOW` (default), `OLDEST` or a time in Unix ms, to also queue what is stored. */
  startFrom?: 'NOW' | 'OLDEST' | number;
  includeTest?: boolean;
}

export interface AppliedEndpoint {
  key: string;
  endpoint: Endpoint;
  /** Only where this call made it or gave it a new secret. */
  secret: string | null;
  /** The endpoint that hands results back, where asked for. */
  resultsEndpointId: string | null;
}

export interface WorkLease {
  deliveryId: string;
  token: number;
  attemptNumber: number;
  expiresAt: number;
  /** null for a result. */
  event: Event;
  context: string | null;
}

export interface SettleItem {
  deliveryId: string;
  token: number;
  outcome: 'SUCCEEDED' | 'FAILED';
  /** What went wrong, for the log. */
  error?: { code: string; message: string };
}

export interface Source {
  id: string;
  name: string;
  dialect: 'machshop' | 'machinemetrics';
  active: boolean;
  /** Names the header that carries the signature, and how it is made. */
  signature: SourceSignature;
  lenientJson: boolean;
  createdAt: number;
}

export interface SourceSignature {
  header: string;
  prefix: string;
  encoding: 'hex' | 'base64';
  digest: 'sha256' | 'sha384' | 'sha512';
  /** Over `{timestamp}`, `{id}` and `{body}`. */
  template: string;
}

export interface SourceService {
  list(): Source[];
  find(nameOrId: string): Source | null;
  /** The secret in use; for the command line of whoever owns the data directory, never over the network. */
  revealSecret(name: string): string;
}

export const SCOPES = [
  'events:publish',
  'events:read',
  'webhooks:read',
  'webhooks:write',
  'workflows:read',
  'workflows:run',
  'workflows:write',
  'machines:read',
  'metrics:read',
  'flow',
  'admin',
] as const;

export type Scope = (typeof SCOPES)[number];

/** Who asks: a key or a browser session made with one. */
export interface Principal {
  keyId: string;
  name: string;
  scopes: ReadonlySet<Scope>;
}

export interface ApiKey {
  id: string;
  name: string;
  scopes: Scope[];
  createdAt: number;
  expiresAt: number | null;
  lastUsedAt: number | null;
  revokedAt: number | null;
}

export interface KeyService {
  /** @returns null for a wrong, revoked or expired one. Takes the same time for all of these. */
  authenticate(bearer: string): Principal | null;
  list(): ApiKey[];
  create(input: {
    name: string;
    scopes: Scope[];
    expiresAt?: number | null;
  }): Promise<{ key: ApiKey; secret: string }>;
  revoke(id: string): Promise<ApiKey>;
}

export interface SessionService {
  /** One-time, valid 10 minutes. */
  createLoginCode(): string;
  /** @returns the cookie's value, or null for a wrong, used or expired code. */
  exchange(code: string): string | null;
  authenticate(cookie: string): Principal | null;
  end(cookie: string): void;
}

export interface InspectBin {
  id: string;
  /** Where to send to from outside. */
  url: string;
  createdAt: number;
}

export interface InspectedRequest {
  id: string;
  binId: string;
  at: number;
  method: string;
  headers: Record<string, string>;
  body: string;
  /** Which schemes' signatures are right, by the secret of the endpoint that delivers here; null where none does. */
  signature: { valid: boolean; schemes: string[]; message: string } | null;
}

export interface InspectorService {
  createBin(): Promise<InspectBin>;
  bins(): InspectBin[];
  /** Newest first, at most the last 200 of a bin. */
  requests(binId: string): InspectedRequest[];
}
