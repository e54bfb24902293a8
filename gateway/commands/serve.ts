import type { Command } from './command.ts';
import { parseFlags } from './command-flags.ts';
import { runGateway } from './run-gateway.ts';
import { SETTINGS_USAGE } from './settings-usage.ts';

const USAGE = `hookline serve

Runs the gateway alone: receives, stores, delivers and answers GraphQL and REST. Prints one line that begins
with "ready" and holds its URL, then runs until SIGTERM or SIGINT.

${SETTINGS_USAGE}`;

/** `hookline serve`: the gateway without Node-RED. */
export const command: Command = {
  name: 'serve',
  summary: 'run the gateway alone',
  usage: USAGE,
  run(args, io) {
    parseFlags(args, {});
    return runGateway(io, { withNodeRed: false });
  },
};
