import { setTimeout as sleep } from 'node:timers/promises';

import { DURATION_FORM, parseDuration } from '../duration.ts';
import { parseMoment } from '../graphql/moment.ts';
import { CommandError } from './command-error.ts';
import { UsageError } from './command.ts';
import type { Command, CommandIo } from './command.ts';
import { parseFlags, readNumber } from './command-flags.ts';
import { connectToGateway } from './gateway-connection.ts';
import type { GatewayConnection } from './gateway-connection.ts';

const USAGE = `hookline replay --endpoint ID --since TIME [flags]

Sends an endpoint once more what it was sent, or missed. The gateway does that as a job, at a pace;
what is still being delivered is left alone, and no event is delivered to an endpoint twice at a time.

  --endpoint ID     where to
  --since TIME      what was received then or later: ISO 8601 such as 2026-01-31T06:00:00Z,
                    or how long ago, such as 90m or 2d
  --until TIME      what was received before
  --type TYPE       only events of this type or family (work_order.*); several times, or several with commas
  --only-failed     only what has failed
  --only-missing    only what was never queued, because the endpoint was off or newer
  --dry-run         say how many there are, and queue nothing
  --per-second N    deliveries queued per second, 0.1 to 1000; 50 without it
  --wait            wait until it is done
  --url URL         another gateway than the one on the data directory; its key is HOOKLINE_ADMIN_KEY
  --json            print JSON
  --help            print this

Example:
  hookline replay --endpoint ep_4Jr0aQ --since 2d --only-missing --dry-run
`;

/** A job as the API shows it. */
interface Job {
  id: string;
  status: 'RUNNING' | 'DONE' | 'CANCELLED' | 'FAILED';
  total: number;
  queued: number;
  skipped: number;
  error: string | null;
  createdAt: string;
  finishedAt: string | null;
}

const JOB_FIELDS = 'id status total queued skipped error createdAt finishedAt';
const START = `mutation Replay($input: ReplayInput!) { replayEvents(input: $input) { count job { ${JOB_FIELDS} } } }`;
const FIND = `query Job($id: ID!) { replayJob(id: $id) { ${JOB_FIELDS} } }`;

const FLAGS = {
  endpoint: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  type: { type: 'string', multiple: true },
  'only-failed': { type: 'boolean' },
  'only-missing': { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  'per-second': { type: 'string' },
  wait: { type: 'boolean' },
  url: { type: 'string' },
  json: { type: 'boolean' },
} as const;

type Flags = ReturnType<typeof parseFlags<typeof FLAGS>>['flags'];

/** `hookline replay`: what happened, once more. */
export const command: Command = {
  name: 'replay',
  summary: 'send an endpoint once more what it was sent, or missed',
  usage: USAGE,
  async run(args, io) {
    const { flags } = parseFlags(args, FLAGS);
    const input = readInput(flags, io.now());
    const gateway = connectToGateway(io, flags.url);
    const { replayEvents } = await gateway.query<{ replayEvents: { count: number; job: Job | null } }>(
      START,
      {
        input,
      },
    );
    const { count, job } = replayEvents;
    if (job === null) {
      say(io, flags, { count, job }, `${countDeliveries(count)} would be queued.`);
      return 0;
    }
    if (flags.wait !== true) {
      say(io, flags, { count, job }, `${job.id} queues ${countDeliveries(count)}.`);
      return 0;
    }
    const ended = await waitForEnd(gateway, job);
    say(io, flags, { count, job: ended }, describeEnd(ended));
    return ended.status === 'DONE' ? 0 : 1;
  },
};

function readInput(flags: Flags, now: number): Record<string, unknown> {
  const types = (flags.type ?? []).flatMap((text) => text.split(',')).map((type) => type.trim());
  if (flags.endpoint === undefined) throw new UsageError('Say where to with --endpoint (see --help).');
  if (flags.since === undefined) throw new UsageError('Say from when on with --since (see --help).');
  if (flags['only-failed'] && flags['only-missing']) {
    throw new UsageError('What failed is not missing: give --only-failed or --only-missing, not both.');
  }
  if (flags['dry-run'] && flags.wait) {
    throw new UsageError('There is nothing to wait for with --dry-run: leave --wait out.');
  }
  return {
    endpointId: flags.endpoint,
    since: readTime('since', flags.since, now),
    ...(flags.until === undefined ? {} : { until: readTime('until', flags.until, now) }),
    ...(types.length === 0 ? {} : { filter: { types } }),
    ...(flags['only-failed'] ? { onlyFailed: true } : {}),
    ...(flags['only-missing'] ? { onlyMissing: true } : {}),
    ...(flags['dry-run'] ? { dryRun: true } : {}),
    ...(flags['per-second'] === undefined
      ? {}
      : { perSecond: readNumber('per-second', flags['per-second'], 0.1, 1000) }),
  };
}

/** @returns ISO 8601, UTC. @throws UsageError for what is neither a moment nor how long ago one was */
function readTime(flag: string, text: string, now: number): string {
  const agoMs = parseDuration(text);
  const at = agoMs === null ? parseMoment(text) : now - agoMs;
  if (at !== null) return new Date(at).toISOString();
  throw new UsageError(
    `The value of --${flag} must be a moment with "Z" or an offset, such as 2026-01-31T06:00:00Z, ` +
      `or how long ago it was: ${DURATION_FORM}.`,
  );
}

const FIRST_LOOK_MS = 100;
const LAST_LOOK_MS = 2000;

/** Looks again and again, less and less often. */
async function waitForEnd(gateway: GatewayConnection, started: Job): Promise<Job> {
  let job = started;
  for (let pauseMs = FIRST_LOOK_MS; job.status === 'RUNNING'; pauseMs = Math.min(pauseMs * 2, LAST_LOOK_MS)) {
    await sleep(pauseMs);
    const { replayJob } = await gateway.query<{ replayJob: Job | null }>(FIND, { id: job.id });
    if (replayJob === null) throw new CommandError(`The replay ${job.id} is not there any more.`);
    job = replayJob;
  }
  return job;
}

function describeEnd({ id, status, queued, skipped, error }: Job): string {
  const counts = `${countDeliveries(queued)} queued, ${skipped} left alone because they still run`;
  if (status === 'DONE') return `${id} is done: ${counts}.`;
  if (status === 'CANCELLED') return `${id} was called off: ${counts}.`;
  return `${id} failed: ${counts}. ${error ?? ''}`.trimEnd();
}

function say(
  io: CommandIo,
  { json }: Flags,
  payload: { count: number; job: Job | null },
  text: string,
): void {
  io.stdout.write(json ? `${JSON.stringify(payload)}\n` : `${text}\n`);
}

function countDeliveries(count: number): string {
  return count === 1 ? '1 delivery' : `${count} deliveries`;
}
