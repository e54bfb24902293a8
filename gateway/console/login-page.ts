/**
 * The page at `/`: takes the one-time code out of the address (the fragment never reaches a log), exchanges it for
 * a session and shows where to go from here. Everything it needs is in it; nothing is fetched from outside.
 */
export const LOGIN_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hookline</title>
<link rel="icon" href="favicon.ico" type="image/svg+xml">
<link rel="stylesheet" href="login.css">
<script type="module" src="login.js"></script>
</head>
<body>
<main>
<h1>Hookline</h1>
<p>Webhooks and automation for the production line.</p>
<p id="status" role="status">Loading…</p>
<form id="login" hidden>
<label for="key">API key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required>
<button>Log in</button>
<p class="hint">Or open the link that <code>npx hookline login</code> prints.</p>
</form>
<ul id="links" hidden>
<li><a href="graphql">GraphQL explorer</a> — ask, change, and follow events live</li>
<li id="editor-item" hidden><a id="editor" href="#">Flow editor</a> — draw automations; log in with any name and an admin key</li>
<li><button id="logout" type="button">Log out</button></li>
</ul>
</main>
</body>
</html>
`;

export const LOGIN_STYLE = `:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5; }
body { margin: 0; display: grid; place-items: center; min-height: 100vh; }
main { max-width: 32rem; padding: 2rem; }
h1 { margin: 0; font-size: 2rem; }
label { display: block; font-weight: 600; }
input { font: inherit; padding: 0.5rem; width: 100%; box-sizing: border-box; margin: 0.25rem 0 0.75rem; }
button { font: inherit; padding: 0.5rem 1rem; cursor: pointer; }
ul { padding-left: 1.25rem; }
li { margin: 0.5rem 0; }
.hint { opacity: 0.75; }
`;

export const LOGIN_SCRIPT = `const byId = (id) => document.getElementById(id);
const say = (text) => { byId('status').textContent = text; };
const post = (path, body) => fetch(path, {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
});

async function whoAmI() {
  const answer = await post('graphql', { query: '{ viewer { name } }' });
  const { data } = await answer.json();
  return data?.viewer?.name ?? null;
}

async function show(failure) {
  const name = await whoAmI();
  byId('login').hidden = name !== null;
  byId('links').hidden = name === null;
  say(failure ?? (name === null ? 'You are not logged in.' : 'You are logged in as ' + name + '.'));
  const { editorUrl } = await (await fetch('login.json')).json();
  if (editorUrl) {
    byId('editor').href = editorUrl;
    byId('editor-item').hidden = false;
  }
}

async function logIn(credentials) {
  const answer = await post('login', credentials);
  return answer.ok ? undefined : (await answer.json()).error.message;
}

byId('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  const key = byId('key').value;
  byId('key').value = '';
  await show(await logIn({ key }));
});
byId('logout').addEventListener('click', async () => { await post('logout', {}); await show(); });

const code = new URLSearchParams(location.hash.slice(1)).get('login');
if (code) history.replaceState(null, '', location.pathname);
await show(code ? await logIn({ code }) : undefined);
`;

/** A hook on a line. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#17624f"/><path d="M11 2v7a3 3 0 0 1-6 0V8m0 0 1.6 1.6M5 8 3.4 9.6" fill="none" stroke="#fff" stroke-width="1.6" stroke-linecap="round"/></svg>
`;

/** Nothing from outside, nothing inline. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};
