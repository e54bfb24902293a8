/*
 * Runs inside the Node-RED process: the settings file that the supervisor writes asks for its settings here.
 * Node-RED's names and meanings: https://nodered.org/docs/user-guide/runtime/configuration
 */

/** What differs from installation to installation. */
export interface ChildValues {
  host: string;
  port: number;
  /** Where our nodes are: the folder of this package. */
  packageRoot: string;
  /** Encrypts the credentials of flows at rest. */
  credentialSecret: string;
  /** The gateway that knows the keys. */
  gatewayUrl: string;
}

/** Who asks for the editor, in Node-RED's form. */
interface EditorUser {
  username: string;
  permissions: '*';
}

/** A login lasts this long; a revoked key goes on working in an editor that is open for as long at most. */
const LOGIN_SECONDS = 12 * 3600;

/** One node that does not close may not use up the 10 s that the whole process has to stop. */
const NODE_CLOSE_MS = 8000;

const KEY_CHECK_MS = 5000;

/** Said at each start until somebody enters the first credential; nothing is wrong. */
const EXPECTED_WARNING = 'Encrypted credentials not found';

/** Node-RED's settings. Nothing in here reaches out of this machine by itself. */
export function createChildSettings(values: ChildValues): Record<string, unknown> {
  return {
    flowFile: 'flows.json',
    flowFilePretty: true,
    credentialSecret: values.credentialSecret,
    uiHost: values.host,
    uiPort: values.port,
    httpNodeRoot: '/',
    apiMaxLength: '5mb',
    nodesDir: [values.packageRoot],
    nodeCloseTimeout: NODE_CLOSE_MS,
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: {
      page: { title: 'Hookline' },
      header: { title: 'Hookline' },
      tours: false,
      palette: { catalogues: [] },
      // Off. Saying so in words would make Node-RED warn of it at each start.
      projects: {},
    },
    adminAuth: {
      type: 'credentials',
      sessionExpiryTime: LOGIN_SECONDS,
      // Asked with the user name of a token that Node-RED gave out after `authenticate` said yes.
      users: async (username: string): Promise<EditorUser> => ({ username, permissions: '*' }),
      authenticate: (username: string, password: string) =>
        authenticate(values.gatewayUrl, username, password),
    },
    httpAdminMiddleware: refuseFraming,
    logging: { hookline: { level: 'warn', metrics: false, audit: false, handler: () => writeLogLine } },
  };
}

/** Ends this process together with the one that started it, however that ended. */
export function endWithParent(): void {
  if (!process.connected) process.exit(0);
  process.once('disconnect', () => {
    setTimeout(() => process.exit(0), 2000).unref();
    process.kill(process.pid, 'SIGTERM');
  });
}

/** Any user name goes, with a key that has the scope `admin` as password. */
async function authenticate(
  gatewayUrl: string,
  username: string,
  password: string,
): Promise<EditorUser | null> {
  try {
    const response = await fetch(`${gatewayUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${password}` },
      body: JSON.stringify({ query: '{ viewer { scopes } }' }),
      signal: AbortSignal.timeout(KEY_CHECK_MS),
    });
    const answer = (await response.json()) as { data?: { viewer?: { scopes: string[] } | null } | null };
    return answer.data?.viewer?.scopes.includes('admin') ? { username, permissions: '*' } : null;
  } catch {
    return null;
  }
}

/** Another site must not show the editor in a frame and borrow the clicks of who is logged in. */
function refuseFraming(
  _request: unknown,
  response: { setHeader(name: string, value: string): void },
  next: () => void,
): void {
  response.setHeader('content-security-policy', "frame-ancestors 'self'");
  next();
}

/** Standard output is written before `process.exit` returns, so that the reason of a crash is not lost. */
function writeLogLine(entry: {
  level: number;
  msg: unknown;
  type?: string;
  name?: string;
  id?: string;
}): void {
  if (entry.msg === EXPECTED_WARNING) return;
  const { level, type, name, id } = entry;
  const line = { nodeRed: level, type, node: name ?? id, msg: textOf(entry.msg) };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function textOf(message: unknown): string {
  if (message instanceof Error) return message.stack ?? message.message;
  if (typeof message === 'object' && message !== null && 'message' in message) return String(message.message);
  return String(message);
}
