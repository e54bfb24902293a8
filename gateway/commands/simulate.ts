import { randomInt } from 'node:crypto';
import { join } from 'node:path';

import { readConfig } from '../config.ts';
import { readSecretFile } from '../installation/secret-file.ts';
import { CommandError } from './command-error.ts';
import { UsageError } from './command.ts';
import type { Command, CommandIo } from './command.ts';
import { parseFlags, readNumber, readWholeNumber } from './command-flags.ts';
import { findGatewayUrl } from './gateway-connection.ts';
import { playFloor } from './play-floor.ts';
import type { Sent } from './simulated-sender.ts';

const USAGE = `hookline simulate [flags]

Plays a small shop floor: sends what an MES and a machine monitoring would send, signed, to the sources
"mes" and "machinemetrics" of the gateway, until you stop it. Prints one line for each event.

  --speed N             how much faster than real time, 0.1 to 1000000; default 60
  --count N             stop after this many events
  --seed N              the same seed plays the same floor again, with the same event ids; default random
  --machines N          machines on the floor, 1 to 100; default 4
  --sender              send again what was not answered with 200, on the vendor's own schedule:
                        after 5s, 30s, 5m, 30m, then daily for a week, all made shorter by --speed
  --url URL             the gateway; default the one that runs on the data directory
  --secret NAME=SECRET  the secret of a source; default WEBHOOK_SECRET (mes),
                        HOOKLINE_SOURCE_MACHINEMETRICS_SECRET, or what the data directory keeps
  --json                print JSON, one object a line
  --help                print this
`;

const DAY_MS = 86_400_000;
const ONE_ATTEMPT_MS = [0];
const VENDOR_SCHEDULE_MS = [0, 5000, 30_000, 300_000, 1_800_000, ...Array<number>(7).fill(DAY_MS)];

/** What the gateway keeps its sources' secrets in, for whoever owns the data directory. */
const SOURCE_SECRETS_FILE = 'source-secrets.json';

/** `hookline simulate`: a small shop floor that sends events. */
export const command: Command = {
  name: 'simulate',
  summary: 'play a small shop floor that sends signed events',
  usage: USAGE,
  async run(args, io) {
    const { flags } = parseFlags(args, {
      speed: { type: 'string' },
      count: { type: 'string' },
      seed: { type: 'string' },
      machines: { type: 'string' },
      sender: { type: 'boolean' },
      url: { type: 'string' },
      secret: { type: 'string', multiple: true },
      json: { type: 'boolean' },
    });
    const seed =
      flags.seed === undefined ? randomInt(2 ** 31) : readWholeNumber('seed', flags.seed, 0, 2 ** 31 - 1);
    const gateway = findGateway(io, flags.url, flags.secret ?? []);
    const stop = new AbortController();
    const interrupt = (): void => stop.abort();
    process.once('SIGINT', interrupt);
    let accepted = 0;
    const produced = await playFloor({
      ...gateway,
      speed: readNumber('speed', flags.speed ?? '60', 0.1, 1_000_000),
      count: flags.count === undefined ? null : readWholeNumber('count', flags.count, 1, 10_000_000),
      seed,
      machines: readWholeNumber('machines', flags.machines ?? '4', 1, 100),
      pausesMs: flags.sender ? VENDOR_SCHEDULE_MS : ONE_ATTEMPT_MS,
      now: io.now(),
      signal: stop.signal,
      report(sent) {
        if (!flags.sender) refuseHopeless(sent, gateway.url);
        if (sent.status === 200) accepted += 1;
        io.stdout.write(flags.json ? `${JSON.stringify(sent)}\n` : `${describeSent(sent)}\n`);
      },
    }).finally(() => process.off('SIGINT', interrupt));
    io.stderr.write(`Played seed ${seed}: ${produced} events, ${accepted} accepted.\n`);
    return accepted === produced || stop.signal.aborted ? 0 : 1;
  },
};

/** @throws UsageError for a secret of another form, CommandError where no gateway is known */
function findGateway(
  io: CommandIo,
  url: string | undefined,
  given: readonly string[],
): { url: string; secrets: Record<string, string> } {
  const config = readConfig(io.env ?? process.env, process.cwd());
  const kept = readSecretFile(join(config.dataDir, SOURCE_SECRETS_FILE));
  const keptSecrets = kept === null ? {} : (JSON.parse(kept) as Record<string, string>);
  const secrets = {
    ...keptSecrets,
    ...config.sourceSecrets,
    ...Object.fromEntries(given.map(readNamedSecret)),
  };
  return { url: findGatewayUrl(config.dataDir, url), secrets };
}

function readNamedSecret(text: string): [string, string] {
  const match = /^([a-z0-9_-]+)=(.+)$/.exec(text);
  if (!match) throw new UsageError('The value of --secret must be NAME=SECRET, such as mes=whsec_...');
  return [match[1]!, match[2]!];
}

/** A person at a terminal wants to know at once what a vendor's sender would go on trying for a week. */
function refuseHopeless(sent: Sent, url: string): void {
  if (sent.status === null) throw new CommandError(`No gateway answers at ${url}; is it running?`);
  if (sent.status === 401) {
    throw new CommandError(
      `The gateway refuses the signature of the source ${sent.source}: it knows another secret; give the right one with --secret ${sent.source}=SECRET.`,
    );
  }
}

function describeSent({ source, type, status, attempts }: Sent): string {
  const answer = status === null ? 'no answer' : String(status);
  return `${source} ${type} ${answer}${attempts > 1 ? ` after ${attempts} attempts` : ''}`;
}
