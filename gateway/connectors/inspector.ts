import type { Clock } from '../clock.ts';
import type { InternalTarget } from '../egress/internal-target.ts';
import { HooklineError } from '../errors.ts';
import type { InspectBin, InspectedRequest, InspectorService } from '../services.ts';
import type { RandomBytes } from '../signing/secret.ts';
import type { IncomingHeaders } from '../signing/verification.ts';
import { createRecordMirror } from '../store/record-mirror.ts';
import type { RecordStore } from '../store/records.ts';
import { checkSignatures } from './inspect-signature.ts';
import type { SigningEndpoint } from './inspect-signature.ts';

/** The largest request that a bin takes. Whoever reads it from a socket stops there. */
export const MAX_INSPECTED_BYTES = 1024 * 1024;

/** The built-in request inspector: takes what is sent to a bin, and shows it. */
export interface Inspector extends InspectorService, Disposable {
  hasBin(binId: string): boolean;
  /** Takes a request that came over HTTP, and says what to answer. */
  receive(binId: string, request: RequestToInspect): Promise<InspectAnswer>;
  /** Takes what our own endpoints deliver to `inspector:<bin>`. */
  readonly target: InternalTarget;
}

export interface RequestToInspect {
  method: string;
  /** Lower-case names. */
  headers: IncomingHeaders;
  body: string | Uint8Array;
}

export interface InspectAnswer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** An endpoint that delivers to a bin. */
export interface InspectedEndpoint extends SigningEndpoint {
  /** Lower-case names of headers whose values are not to be shown. */
  secretHeaders: readonly string[];
}

export interface InspectorOptions {
  records: RecordStore;
  clock: Clock;
  random: RandomBytes;
  /** The gateway's address seen from outside, without a slash at its end. Asked when shown: a port may come late. */
  baseUrl: () => string;
  /** Who delivers to a bin. */
  deliveringTo: (binId: string) => readonly InspectedEndpoint[];
}

/**
 * Keeps the last 200 requests of each bin (less where they are large) with the first 64 KiB of their bodies, over
 * restarts. A bin takes 50 requests a second. There are at most 100 bins: beyond that the oldest one to which nothing
 * is delivered gives way.
 */
export async function createInspector(options: InspectorOptions): Promise<Inspector> {
  const { records, clock, random, deliveringTo } = options;
  const requestsByBin = new Map<string, InspectedRequest[]>();
  const allowances = new Map<string, Allowance>();

  const show = (id: string, request: StoredRequest): void => {
    const list = requestsByBin.get(request.binId) ?? [];
    const older = list.findIndex((other) => other.at <= request.at);
    list.splice(older === -1 ? list.length : older, 0, { id, ...request });
    requestsByBin.set(request.binId, list);
  };
  const hide = (id: string): void => {
    for (const list of requestsByBin.values()) {
      const index = list.findIndex((request) => request.id === id);
      if (index >= 0) list.splice(index, 1);
    }
  };
  const bins = await createRecordMirror<StoredBin>({ records, clock, collection: 'bins' });
  const inspected = await createRecordMirror<StoredRequest>({
    records,
    clock,
    collection: 'inspected',
    onChange: (id, record) => (record === undefined ? hide(id) : show(id, record.value)),
  });
  for (const { id, value } of inspected.all()) show(id, value);

  const deletions = (
    requests: readonly InspectedRequest[],
  ): { id: string; value: null; ifVersion: 'any' }[] =>
    requests.map(({ id }) => ({ id, value: null, ifVersion: 'any' }));

  const keep = async (binId: string, { method, headers }: RequestToInspect, bytes: Buffer): Promise<void> => {
    const endpoints = deliveringTo(binId);
    const at = clock.now();
    const value: StoredRequest = {
      binId,
      at,
      method,
      headers: shownHeaders(
        headers,
        endpoints.flatMap(({ secretHeaders }) => secretHeaders),
      ),
      body: bytes.toString('utf8', 0, KEPT_BODY_BYTES),
      signature: checkSignatures({ body: bytes, headers, nowSeconds: at / 1000 }, endpoints),
    };
    const id = `req_${Buffer.from(random(12)).toString('base64url')}`;
    const tooMany = surplus(requestsByBin.get(binId) ?? [], value.body.length);
    await inspected.commit([{ id, value, ifVersion: 0 }, ...deletions(tooMany)]);
  };

  const receive = async (binId: string, request: RequestToInspect): Promise<InspectAnswer> => {
    if (bins.get(binId) === undefined)
      return refusal(404, 'NOT_FOUND', 'There is no such inspector bin: create one.');
    const bytes = Buffer.from(request.body);
    if (bytes.length > MAX_INSPECTED_BYTES) {
      return refusal(413, 'TOO_LARGE', `The inspector takes at most ${MAX_INSPECTED_BYTES} bytes.`);
    }
    if (!takeAllowance(allowances, binId, clock.now())) {
      const { headers, ...answer } = refusal(
        429,
        'RATE_LIMITED',
        `A bin takes ${REQUESTS_PER_SECOND} requests a second: wait a second.`,
      );
      return { ...answer, headers: { ...headers, 'retry-after': '1' } };
    }
    await keep(binId, request, bytes);
    return { statusCode: 200, headers: JSON_HEADERS, body: '{"ok":true}' };
  };

  const shownBin = (id: string, { createdAt }: StoredBin): InspectBin => ({
    id,
    url: `${options.baseUrl()}/inspect/${id}`,
    createdAt,
  });

  return {
    receive,
    target: (binId, { method = 'POST', headers, body }) => receive(binId, { method, headers, body }),
    hasBin: (binId) => bins.get(binId) !== undefined,
    bins: () => [...bins.all()].map(({ id, value }) => shownBin(id, value)),
    requests: (binId) => (requestsByBin.get(binId) ?? []).slice(0, KEPT_REQUESTS),

    async createBin() {
      const all = [...bins.all()];
      const unused = all.find(({ id }) => deliveringTo(id).length === 0);
      const isFull = all.length >= MAX_BINS;
      if (isFull && unused === undefined) {
        throw new HooklineError(
          'CONFLICT',
          `There are ${MAX_BINS} inspector bins, all in use: delete an endpoint that delivers to one.`,
        );
      }
      if (isFull && unused !== undefined) {
        await bins.commit([{ id: unused.id, value: null, ifVersion: 'any' }]);
        await inspected.commit(deletions(requestsByBin.get(unused.id) ?? []));
        allowances.delete(unused.id);
      }
      const id = `bin_${Buffer.from(random(18)).toString('base64url')}`;
      const { value } = await bins.update(id, () => ({ createdAt: clock.now() }));
      return shownBin(id, value);
    },

    [Symbol.dispose]() {
      bins.close();
      inspected.close();
    },
  };
}

interface StoredBin {
  createdAt: number;
}

type StoredRequest = Omit<InspectedRequest, 'id'>;

/** What a bin may still take: refilled steadily, up to one second's worth. */
interface Allowance {
  left: number;
  at: number;
}

const REQUESTS_PER_SECOND = 50;
const KEPT_REQUESTS = 200;
const KEPT_BODY_BYTES = 64 * 1024;
const KEPT_CHARS_PER_BIN = 4 * 1024 * 1024;
const MAX_BINS = 100;

const JSON_HEADERS = { 'content-type': 'application/json' };

/** Never shown, whoever sends them. */
const CREDENTIAL_HEADERS = ['authorization', 'cookie', 'proxy-authorization'];

function shownHeaders(headers: IncomingHeaders, secretHeaders: readonly string[]): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const isSecret = CREDENTIAL_HEADERS.includes(name) || secretHeaders.includes(name);
    shown[name] = isSecret ? '(hidden)' : typeof value === 'string' ? value : value.join(', ');
  }
  return shown;
}

/** Those that have to go so that one more fits. @param list newest first */
function surplus(list: readonly InspectedRequest[], newBodyChars: number): InspectedRequest[] {
  let chars = newBodyChars;
  const firstToGo = list.findIndex(({ body }, index) => {
    chars += body.length;
    return index + 1 >= KEPT_REQUESTS || chars > KEPT_CHARS_PER_BIN;
  });
  return firstToGo === -1 ? [] : list.slice(firstToGo);
}

function takeAllowance(allowances: Map<string, Allowance>, binId: string, now: number): boolean {
  const { left, at } = allowances.get(binId) ?? { left: REQUESTS_PER_SECOND, at: now };
  const refilled = Math.min(REQUESTS_PER_SECOND, left + (Math.max(0, now - at) / 1000) * REQUESTS_PER_SECOND);
  allowances.set(binId, { left: refilled < 1 ? refilled : refilled - 1, at: now });
  return refilled >= 1;
}

function refusal(statusCode: number, code: string, message: string): InspectAnswer {
  return {
    statusCode,
    headers: JSON_HEADERS,
    body: JSON.stringify({ error: { code, message, details: {} } }),
  };
}
