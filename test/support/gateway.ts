import { systemClock } from '../../gateway/clock.ts';
import { readConfig } from '../../gateway/config.ts';
import { startGateway, type Gateway } from '../../gateway/gateway.ts';
import { createLogger } from '../../gateway/log.ts';
import { makeTempFolder } from './temp-folder.ts';

export const TEST_ADMIN_KEY = 'sk-admin-of-these-tests';

/** A whole gateway in the test's own process, on a port and in a folder of its own; loopback may be reached. */
export interface TestGateway extends Gateway, AsyncDisposable {
  dataDir: string;
  adminKey: string;
  /** A GraphQL operation as admin. Fails the test where it has errors. */
  ask<Data>(query: string, variables?: Record<string, unknown>): Promise<Data>;
}

export async function startTestGateway(
  options: { env?: Record<string, string>; dataDir?: string } = {},
): Promise<TestGateway> {
  const folder = options.dataDir === undefined ? await makeTempFolder() : null;
  const dataDir = options.dataDir ?? folder!.path;
  const settings = {
    HOOKLINE_PORT: '0',
    HOOKLINE_DATA_DIR: dataDir,
    HOOKLINE_EGRESS_ALLOW: '127.0.0.0/8',
    ...options.env,
  };
  const gateway = await startGateway({
    config: readConfig(settings, dataDir),
    secrets: {
      adminKey: TEST_ADMIN_KEY,
      secretKey: options.env?.['HOOKLINE_SECRET_KEY'] ?? Buffer.alloc(32, 7).toString('base64'),
      flowKey: 'sk-flow-of-these-tests',
    },
    dataDir,
    clock: systemClock,
    log: createLogger({ stream: { write: () => true } }),
  });
  return {
    ...gateway,
    dataDir,
    adminKey: TEST_ADMIN_KEY,
    async ask<Data>(query: string, variables: Record<string, unknown> = {}) {
      const answer = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TEST_ADMIN_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await answer.json()) as { data: Data; errors?: { message: string }[] };
      if (errors) throw new Error(errors.map(({ message }) => message).join('; '));
      return data;
    },
    async [Symbol.asyncDispose]() {
      await gateway.close();
      await folder?.[Symbol.asyncDispose]();
    },
  };
}
