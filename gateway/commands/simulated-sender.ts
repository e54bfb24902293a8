import { findDialect } from '../events/dialects.ts';
import type { ShopFloorEvent } from '../simulate/floor.ts';
import { customScheme } from '../signing/custom.ts';
import { CommandError } from './command-error.ts';

/** What became of one event. */
export interface Sent {
  source: string;
  type: string;
  /** HTTP status of the last attempt; null where nobody answered. */
  status: number | null;
  attempts: number;
}

export interface SimulatedSenderOptions {
  /** Of the gateway, without a slash at its end. */
  url: string;
  /** By source. */
  secrets: Readonly<Record<string, string>>;
  /** The pause before each attempt; one entry means that nothing is tried again. */
  pausesMs: readonly number[];
  /** @throws when it is aborted */
  sleep: (ms: number) => Promise<unknown>;
}

/** The vendor gives a receiver this long. */
const ANSWER_MS = 5000;

/** The dialect that a source of the simulated floor speaks. */
const DIALECT_OF = { mes: 'machshop', machinemetrics: 'machinemetrics' } as const;

/**
 * Sends events as the vendors do: signed with the source's secret, and tried again, the same bytes with the same
 * signature, until the answer is 200 or the schedule is used up.
 * @throws CommandError where a source has no secret
 */
export function createSimulatedSender(
  options: SimulatedSenderOptions,
): (event: Pick<ShopFloorEvent, 'source' | 'body'>) => Promise<Sent> {
  const { url, secrets, pausesMs, sleep } = options;
  const signers = {
    mes: prepareSigner('mes', secrets),
    machinemetrics: prepareSigner('machinemetrics', secrets),
  };

  return async ({ source, body }) => {
    const headers = { 'content-type': 'application/json', ...signers[source](body) };
    const sent: Sent = { source, type: readType(body), status: null, attempts: 0 };
    for (const pauseMs of pausesMs) {
      if (pauseMs > 0) await sleep(pauseMs);
      sent.attempts += 1;
      sent.status = await postOnce(`${url}/webhooks/${source}`, headers, body);
      if (sent.status === 200) break;
    }
    return sent;
  };
}

function prepareSigner(
  source: keyof typeof DIALECT_OF,
  secrets: Readonly<Record<string, string>>,
): (body: string) => Record<string, string> {
  const secret = secrets[source];
  if (secret === undefined) {
    const setting = source === 'mes' ? 'WEBHOOK_SECRET' : `HOOKLINE_SOURCE_${source.toUpperCase()}_SECRET`;
    throw new CommandError(
      `The secret of the source ${source} is not known; give it with --secret ${source}=SECRET or in ${setting}.`,
    );
  }
  const custom = findDialect(DIALECT_OF[source])!.signatureDefaults;
  const sign = customScheme.prepareSigner({ secrets: [secret], custom });
  return (body) => sign({ body });
}

async function postOnce(url: string, headers: Record<string, string>, body: string): Promise<number | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    return null;
  }
}

function readType(body: string): string {
  const { type, event } = JSON.parse(body) as { type?: string; event?: string };
  return type ?? event ?? 'unknown';
}
