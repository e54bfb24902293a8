import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Client, ClientOptions } from 'graphql-ws';
import { createBadKeyLimit } from '../../../gateway/access/rate-limit.ts';
import { requestPrincipal } from '../../../gateway/access/request-principal.ts';
import { systemClock } from '../../../gateway/clock.ts';
import type { Event } from '../../../gateway/events/event.ts';
import { createGraphqlServer } from '../../../gateway/graphql/server.ts';
import type { Scope } from '../../../gateway/services.ts';
import { openStore } from '../../../gateway/store/open-store.ts';
import type { NewDelivery, Store } from '../../../gateway/store/store.ts';
import { askOverHttp, openLiveClient } from '../../support/graphql-client.ts';
import type { HttpAnswer, Parsed } from '../../support/graphql-client.ts';
import { makeEvent, newEvent } from '../../support/store-fixtures.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { watchTails } from './tail-watch.ts';
import type { TailWatch } from './tail-watch.ts';
import { ADMIN_KEY, createTestServices } from './test-services.ts';
import type { TestServices } from './test-services.ts';

/** The API over a real store, at a port of its own. */
export interface TestGateway extends AsyncDisposable {
  url: string;
  services: TestServices;
  store: Store;
  tails: TailWatch;
  /** What was logged. */
  logged: { fields: Record<string, unknown>; message: string }[];
  /** Asks as the admin unless another key is given; null for none. */
  ask(query: string, variables?: Record<string, unknown>, key?: string | null): Promise<HttpAnswer<Parsed>>;
  /** The stock client as the admin; disposed of with the gateway. */
  live(options?: Partial<ClientOptions>, key?: string): Client;
  keyWith(...scopes: Scope[]): Promise<string>;
  /** Stores an event. @returns its id */
  storeEvent(event?: Partial<Event> & { data?: unknown }, ...deliveries: NewDelivery[]): Promise<string>;
  /** Closes the API, not the store. */
  closeApi(): Promise<void>;
}

/** Starts it over a store in a folder of its own. */
export async function startTestGateway(): Promise<TestGateway> {
  const folder = await makeTempFolder();
  const opened = await openStore(`sqlite:${join(folder.path, 'test.db')}`, systemClock);
  const tails = watchTails(opened);
  const services = await createTestServices(opened, systemClock);
  const logged: TestGateway['logged'] = [];
  const badKeys = createBadKeyLimit(systemClock);
  const api = createGraphqlServer({
    services,
    authenticate: (headers, request) =>
      requestPrincipal({ headers, ...request }, { ...services, badKeys, allowedOrigins: [ownOrigin()] }),
    log: { error: (fields, message) => logged.push({ fields, message }) },
  });
  const server = createServer((req, res) => void api.handleRequest(req, res));
  server.on('upgrade', (req, socket, head) => api.handleUpgrade(req, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ownOrigin = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `${ownOrigin()}/graphql`;
  const clients: Client[] = [];

  return {
    url,
    services,
    store: opened,
    tails,
    logged,
    ask: (query, variables = {}, key = ADMIN_KEY) =>
      askOverHttp(url, { query, variables, ...(key === null ? {} : { key }) }),
    live: (options, key = ADMIN_KEY) => {
      const client = openLiveClient(url, key, options);
      clients.push(client);
      return client;
    },
    keyWith: async (...scopes) => (await services.keys.create({ name: scopes.join(' '), scopes })).secret,
    storeEvent: async (event, ...deliveries) => {
      const [result] = await opened.append([newEvent(makeEvent(systemClock, event), ...deliveries)]);
      return result!.id;
    },
    closeApi: () => api.close(),
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) await client.dispose();
      await api.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await services[Symbol.asyncDispose]();
      await opened.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}
