import type { Command } from './command.ts';
import { parseFlags } from './command-flags.ts';
import { connectToGateway } from './gateway-connection.ts';

const USAGE = `hookline login [--url URL] [--json]

Prints a link that logs a browser in to the console: valid once, for 10 minutes.
Asks the gateway that runs on the data directory (HOOKLINE_DATA_DIR, default .hookline).

  --url URL   another gateway; its admin key is read from HOOKLINE_ADMIN_KEY
  --json      print {"url"}
  --help      print this
`;

/** `hookline login`: a new one-time login link. */
export const command: Command = {
  name: 'login',
  summary: 'print a one-time link to log in with a browser',
  usage: USAGE,
  async run(args, io) {
    const { flags } = parseFlags(args, { url: { type: 'string' }, json: { type: 'boolean' } });
    const { url } = await connectToGateway(io, flags.url).post<{ url: string }>('/login-link');
    io.stdout.write(flags.json ? `${JSON.stringify({ url })}\n` : `${url}\n`);
    return 0;
  },
};
