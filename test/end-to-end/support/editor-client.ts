/** Node-RED's admin API, as the editor uses it after a login. */
export interface EditorClient {
  /** Deploys these flows in place of the present ones. @throws where the answer is an error */
  deploy(flows: object[], credentials: Record<string, object>): Promise<void>;
}

/** Logs in as the editor's login page does, with a key that has the scope `admin`. */
export async function logInToEditor(editorUrl: string, adminKey: string): Promise<EditorClient> {
  const { access_token: token } = await post<{ access_token: string }>(`${editorUrl}/auth/token`, {
    client_id: 'node-red-editor',
    grant_type: 'password',
    scope: '*',
    username: 'anybody',
    password: adminKey,
  });
  return {
    deploy: (flows, credentials) =>
      post(
        `${editorUrl}/flows`,
        { flows, credentials },
        {
          authorization: `Bearer ${token}`,
          'node-red-api-version': 'v2',
          'node-red-deployment-type': 'full',
        },
      ),
  };
}

async function post<Answer>(
  url: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return JSON.parse(text) as Answer;
}
