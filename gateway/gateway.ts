import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { createHostCheck } from './access/host-check.ts';
import { ADMIN_PRINCIPAL, createKeyService } from './access/keys.ts';
import { createBadKeyLimit } from './access/rate-limit.ts';
import { requestPrincipal } from './access/request-principal.ts';
import { checkSecretKey, createSecretBox } from './access/secret-box.ts';
import { createSessionService } from './access/sessions.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { createInspector } from './connectors/inspector.ts';
import { createWebhookConnector } from './connectors/webhook.ts';
import { createLoginRoutes } from './console/login-routes.ts';
import type { Secrets } from './installation/data-directory.ts';
import { createEndpointRegistry } from './delivery/endpoints.ts';
import { checkExpression, checkingExpressions, createEvaluate } from './delivery/evaluate.ts';
import { createEventService } from './delivery/event-intake.ts';
import { createExplanationService } from './delivery/explain.ts';
import { createFlowService } from './delivery/flow-work.ts';
import { createOperationalEvents } from './delivery/operational-events.ts';
import { createDeliveryService } from './delivery/outbox.ts';
import { createReplayService } from './delivery/replays.ts';
import { createSubscriptions } from './delivery/subscriptions.ts';
import { watchHealth } from './delivery/watch-health.ts';
import { startWorker } from './delivery/worker.ts';
import { createEgress } from './egress/post.ts';
import { createExpressionPool } from './expressions/expression-pool.ts';
import { createGraphqlServer } from './graphql/server.ts';
import { createGatewayRoutes } from './gateway-routes.ts';
import { startHttpServer } from './http-server.ts';
import { createReceiver } from './ingest/receive.ts';
import { createRejectionNews } from './ingest/rejection-news.ts';
import { createSourceRegistry } from './ingest/sources.ts';
import { localUrl } from './installation/local-url.ts';
import { withoutRedaction, type Logger } from './log.ts';
import { packageVersion } from './installation/package-root.ts';
import { createRestHandler } from './rest/rest-handler.ts';
import type { EndpointService, Principal, Services } from './services.ts';
import { openStore } from './store/open-store.ts';
import type { RecordStore } from './store/records.ts';
import type { Store } from './store/store.ts';
import { startRetention } from './store/retention.ts';

export interface GatewayOptions {
  config: Config;
  secrets: Pick<Secrets, 'adminKey' | 'secretKey' | 'flowKey'>;
  /** Absolute; exists. */
  dataDir: string;
  clock: Clock;
  log: Logger;
  /** Puts something between the gateway and its store: a benchmark's, a fault's. @default nothing */
  wrapStore?: (store: Store & RecordStore) => Store & RecordStore;
}

export interface Gateway {
  /** Where this machine reaches it, without a slash at its end. */
  url: string;
  port: number;
  services: Services;
  /** Tells the page at `/` where the flow editor is. */
  announceEditor(url: string): void;
  /** Takes nothing new, finishes what was begun, closes. */
  close(): Promise<void>;
}

/** Wires the stages in the order in which an event walks through them. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, secrets, dataDir, clock, log, wrapStore = (store) => store } = options;
  const storeUrl = config.storeUrl === 'sqlite:' ? `sqlite:${join(dataDir, 'hookline.db')}` : config.storeUrl;
  const store = wrapStore(await openStore(storeUrl, clock));
  const secretBox = createSecretBox(secrets.secretKey, randomBytes);
  await checkSecretKey(store, secretBox);

  // Who may do what, and what exists.
  let url = '';
  let editorUrl: string | null = null;
  const baseUrl = (): string => config.publicUrl ?? url;
  const shared = { records: store, secretBox, clock, random: randomBytes };
  const keys = await createKeyService({ ...shared, adminKey: secrets.adminKey, flowKey: secrets.flowKey });
  const sessions = createSessionService({ clock, random: randomBytes, principal: ADMIN_PRINCIPAL });
  const sources = await createSourceRegistry({ ...shared, givenSecrets: config.sourceSecrets });
  writeSourceSecrets(dataDir, sources);

  // The way out.
  const egress = createEgress({
    allow: config.egressAllow,
    clock,
    log,
    ...(config.caFile === null ? {} : { caFile: config.caFile }),
    ...(config.proxy === null ? {} : { proxy: config.proxy }),
  });
  const inspector = await createInspector({
    ...shared,
    baseUrl,
    deliveringTo: (binId) => endpoints.deliveringTo(binId),
  });
  egress.setInternalTarget(inspector.target);
  const endpoints = await createEndpointRegistry({
    ...shared,
    vet: (target) => egress.vet(target),
    hasBin: (binId) => inspector.hasBin(binId),
    checkExpression,
  });
  endpoints.onLanes((lanes) => {
    store.setLanes(lanes).catch((error: unknown) => log.error({ err: error }, 'lanes could not be set'));
  });

  // From accepted to delivered.
  const schedule = config.retryScheduleMs;
  const { maxBodyBytes } = config;
  const randomText = (): string => randomBytes(12).toString('hex');
  const expressions = createExpressionPool({ clock });
  const evaluate = createEvaluate(expressions);
  const subscriptions = createSubscriptions({ endpoints, schedule, evaluate });
  const operational = createOperationalEvents({ store, subscriptions, clock, randomText, log });
  const intake = {
    store,
    endpoints,
    schedule,
    clock,
    randomText,
    maxBodyBytes,
    random: Math.random,
    subscriptions,
    operational,
  };
  const webhook = createWebhookConnector({ egress, clock, version: packageVersion, evaluate });
  const worker = startWorker({
    ...intake,
    connectors: { WEBHOOK: webhook, INSPECTOR: webhook },
    log: withoutRedaction(log),
  });
  const stopWatching = watchHealth({ store, news: operational, clock, log });
  const stopRetention = startRetention({
    store,
    clock,
    retentionMs: config.retentionMs,
    retiredEndpoints: () => endpoints.retired(),
    log,
  });
  const receive = createReceiver({
    ...intake,
    sources,
    rejections: createRejectionNews({ clock, tell: operational.tell }),
    log,
  });
  const replays = await createReplayService({ ...intake, log });
  const services: Services = {
    store,
    events: createEventService(intake),
    endpoints: checkingExpressions<EndpointService>(endpoints, expressions),
    deliveries: createDeliveryService(intake),
    flows: createFlowService(intake),
    replays,
    explanations: createExplanationService(intake),
    sources,
    keys,
    sessions,
    inspector,
  };

  // What the outside sees.
  const badKeys = createBadKeyLimit(clock);
  const ownOrigins = (): string[] => [new URL(baseUrl()).origin, ...localOrigins(url), ...config.corsOrigins];
  const authenticate = (
    headers: IncomingHttpHeaders,
    { isUpgrade, method, address }: { isUpgrade: boolean; method: string; address: string },
  ): Principal | null =>
    requestPrincipal(
      { method, headers, isUpgrade, address },
      { keys, sessions, badKeys, allowedOrigins: ownOrigins() },
    );
  const graphql = createGraphqlServer({ services, authenticate, log });
  const authenticateRequest = (request: IncomingMessage): Principal | null =>
    authenticate(request.headers, {
      isUpgrade: false,
      method: request.method ?? 'GET',
      address: request.socket.remoteAddress ?? '',
    });
  const http = await startHttpServer({
    host: config.host,
    port: config.port,
    handlers: createGatewayRoutes({
      services,
      receive,
      inspector,
      graphql,
      rest: createRestHandler({
        services,
        authenticate: authenticateRequest,
        log,
        makeId: randomText,
        maxBodyBytes,
      }),
      isOwnHost: createHostCheck({ host: config.host, publicUrl: config.publicUrl ?? undefined }),
      login: createLoginRoutes({
        services,
        authenticate: authenticateRequest,
        baseUrl,
        editorUrl: () => editorUrl,
        isOwnOrigin: (origin) => ownOrigins().includes(origin),
      }),
    }),
    handleUpgrade: graphql.handleUpgrade,
    log,
  });
  url = localUrl(config.host, http.port);

  return {
    url,
    port: http.port,
    services,
    announceEditor: (address) => {
      editorUrl = address;
    },
    async close() {
      stopRetention();
      stopWatching();
      await graphql.close();
      await http.close();
      await replays[Symbol.asyncDispose]();
      await worker.close();
      await expressions.close();
      await egress.close();
      await endpoints[Symbol.asyncDispose]();
      for (const part of [inspector, sources, keys]) part[Symbol.dispose]();
      await store.close();
    },
  };
}

/** For the owner's command line: `hookline simulate` signs with them. */
function writeSourceSecrets(
  dataDir: string,
  sources: Pick<Services['sources'], 'list' | 'revealSecret'>,
): void {
  const secrets = Object.fromEntries(sources.list().map(({ name }) => [name, sources.revealSecret(name)]));
  writeFileSync(join(dataDir, 'source-secrets.json'), JSON.stringify(secrets), { mode: 0o600 });
}

/** A browser on this machine may call it by either name. */
function localOrigins(url: string): string[] {
  const { port } = new URL(url);
  return ['localhost', '127.0.0.1', '[::1]'].map((host) => new URL(`http://${host}:${port}`).origin);
}
