import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** Whether a browser asks for the page, and not for a result. */
export function wantsGraphiqlPage({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  return method === 'GET' && headers.accept?.includes('text/html') === true;
}

/** Sends GraphiQL as one page that needs nothing else: neither another request nor a network. */
export async function sendGraphiqlPage(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const page = await preparePage();
  const zipped = req.headers['accept-encoding']?.includes('gzip') === true;
  res.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
    vary: 'accept, accept-encoding',
    ...(zipped ? { 'content-encoding': 'gzip' } : {}),
  });
  res.end(zipped ? page.zipped : page.plain);
}

/** Only what is in the page, and only our own address to ask. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline' blob:",
  'worker-src blob:',
  "style-src 'unsafe-inline'",
  'img-src data:',
  'font-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const FIRST_QUERY = `# The API of Hookline. Its documentation
# is behind the book on the left.
#
# Logged in to the console? Then you are here.
# Otherwise write your key under Headers below,
#   { "authorization": "Bearer sk-…" }
# and load the schema again: the two arrows
# at the lower left.

query LatestEvents {
  events(first: 10) {
    edges {
      node {
        id
        type
        receivedAt
        data
        deliveries(first: 5) {
          edges {
            node {
              status
              attemptCount
              endpoint {
                url
              }
            }
          }
        }
      }
    }
    liveCursor
  }
}
`;

interface Page {
  plain: Buffer;
  zipped: Buffer;
}

let prepared: Promise<Page> | null = null;

/** Made when it is first asked for: it is nine megabytes that most gateways never need. */
function preparePage(): Promise<Page> {
  prepared ??= renderPage().then(async (html) => {
    const plain = Buffer.from(html);
    return { plain, zipped: await promisify(gzip)(plain) };
  });
  return prepared;
}

async function renderPage(): Promise<string> {
  const { css, js, favicon, editorWorkerService, jsonWorker, graphqlWorker } =
    await import('@graphql-yoga/render-graphiql/graphiql');
  const options = {
    title: 'Hookline GraphiQL',
    defaultQuery: FIRST_QUERY,
    subscriptionsProtocol: 'WS',
    shouldPersistHeaders: false,
  };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hookline GraphiQL</title>
<link rel="icon" href="${favicon}">
<style>${css}</style>
</head>
<body class="no-focus-outline">
<noscript>This page needs JavaScript.</noscript>
<div id="root"></div>
<script>
const workerUrls = Object.fromEntries(
  Object.entries(${scriptText({ editorWorkerService, json: jsonWorker, graphql: graphqlWorker })}).map(
    ([label, source]) => [label, URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))],
  ),
);
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_module, label) => workerUrls[label] };
${js};
// A websocket of a browser cannot carry headers: the key of the last request goes along in connection_init.
let authorization;
const send = window.fetch.bind(window);
window.fetch = (address, init) => {
  authorization = new Headers(init?.headers).get('authorization') ?? undefined;
  return send(address, init);
};
YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), {
  ...${scriptText(options)},
  connectionParams: () => ({ authorization }),
});
</script>
</body>
</html>
`;
}

/** JSON that stays within its script element. */
function scriptText(value: unknown): string {
  return JSON.stringify(value).replaceAll('</', String.raw`<\/`);
}
