import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

const { KEY, HOOKLINE_URL = 'http://127.0.0.1:4000' } = process.env;

const client = createClient({
  url: `${HOOKLINE_URL.replace(/^http/, 'ws')}/graphql`,
  webSocketImpl: WebSocket, // Browsers and Node.js 22 have one of their own.
  connectionParams: { authorization: `Bearer ${KEY}` },
  keepAlive: 10_000,
  retryAttempts: Infinity,
  shouldRetry: () => true, // Also where nobody listens, as while the gateway is started again.
  on: { connected: () => console.log('connected'), closed: () => console.log('not connected') },
});

let last = null;
const deliveries = client.iterate({
  query: `subscription Follow($after: String) {
    deliveries(after: $after, filter: { statuses: [SUCCEEDED, RETRYING, FAILED, EXHAUSTED, REJECTED] }) {
      cursor
      node { status event { type } endpoint { url } }
    }
  }`,
  variables: {
    get after() {
      return last;
    },
  },
});
for await (const { data, errors } of deliveries) {
  if (errors) throw new Error(errors[0].message);
  const { cursor, node } = data.deliveries;
  last = cursor;
  console.log(node.status, node.event?.type, 'to', node.endpoint.url);
}
