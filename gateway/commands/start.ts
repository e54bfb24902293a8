import type { Command } from './command.ts';
import { parseFlags } from './command-flags.ts';
import { runGateway } from './run-gateway.ts';
import { SETTINGS_USAGE } from './settings-usage.ts';

const USAGE = `hookline start

Runs the gateway, and beside it a Node-RED with the Hookline nodes and, at the first start, the example flows.
Prints one line that begins with "ready" and holds both URLs, then runs until SIGTERM or SIGINT.
The editor asks for a login: any user name, and a key with the scope admin as password.

${SETTINGS_USAGE}`;

/** `hookline start`: the gateway and a supervised Node-RED. */
export const command: Command = {
  name: 'start',
  summary: 'run the gateway and Node-RED',
  usage: USAGE,
  run(args, io) {
    parseFlags(args, {});
    return runGateway(io, { withNodeRed: true });
  },
};
