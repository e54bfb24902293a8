import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startReceiver } from '../support/http-receiver.ts';
import type { ReceivedRequest, Receiver } from '../support/http-receiver.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';
import { untilGone } from '../support/until-gone.ts';
import { childPids } from './support/child-processes.ts';
import { logInToEditor } from './support/editor-client.ts';
import { postToMes, registerEndpoint } from './support/product-client.ts';
import { findObjections } from './support/receiver-check.ts';
import { untilNoneIsOpen } from './support/stored-deliveries.ts';

const MES_SECRET = 'the secret of the MES in this test';
const SLOW_MS = 120_000;

/** Work orders until the crash, the first of them before there is a flow, and while Node-RED is away. */
const BEFORE = 40;
const ALL = 80;

let folder: TempFolder;
let product: Product;
let receiver: Receiver;
/** Signs what goes to `/direct`, past Node-RED. */
let directSecret: string;

beforeAll(async () => {
  receiver = await startReceiver();
  folder = await makeTempFolder();
  const dataDir = join(folder.path, 'data');
  // Flows are there, so the examples stay away; they would take part.
  await mkdir(join(dataDir, 'node-red'), { recursive: true, mode: 0o700 });
  await writeFile(join(dataDir, 'node-red', 'flows.json'), '[]');
  product = await startProduct({
    dataDir,
    env: {
      HOOKLINE_EGRESS_ALLOW: '127.0.0.0/8',
      WEBHOOK_SECRET: MES_SECRET,
      // What was in the flow when it crashed counts as an attempt, and comes again after the next pause.
      HOOKLINE_RETRY_SCHEDULE: '0s,1s,1s,2s,2s,5s,5s,5s',
    },
  });
  const direct = await registerEndpoint(product, { url: receiver.url('/direct'), events: ['work_order.*'] });
  directSecret = direct.secret;
  await postInTurn(0, 1);
  const editor = await logInToEditor(product.editorUrl!, product.adminKey);
  await editor.deploy(makeFlow(receiver.url('/told')), { send: { url: receiver.url('/flow') } });
  await untilAllAt('/flow', 1);
}, SLOW_MS);

afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/**
 * Each event is sent on with a webhook node and, beside it, told with a plain request; a delay keeps the run open for
 * a while after that. A crash then finds events in the flow that will come again. What is stored when the flow is
 * first deployed comes too.
 */
function makeFlow(tellUrl: string): object[] {
  return [
    { id: 'line', type: 'tab', label: 'Line 4' },
    { id: 'gateway', type: 'hookline-gateway', name: '', url: '' },
    onTab('take', 'hookline-event', [['send', 'tell', 'linger']], {
      gateway: 'gateway',
      events: ['work_order.*'],
      startFrom: 'oldest',
      settle: 'end',
      prefetch: 8,
    }),
    onTab('send', 'hookline-webhook', [[], []], { gateway: 'gateway', preset: 'generic', headers: [] }),
    onTab('tell', 'http request', [[]], { method: 'POST', ret: 'txt', paytoqs: 'ignore', url: tellUrl }),
    onTab('linger', 'delay', [[]], { pauseType: 'delay', timeout: '200', timeoutUnits: 'milliseconds' }),
  ];
}

function onTab(id: string, type: string, wires: string[][], settings: object): object {
  return { id, type, z: 'line', x: 100, y: 100, wires, ...settings };
}

/** @returns the status that was answered */
function postWorkOrder(n: number): Promise<number> {
  const data = { workOrder: { id: `wo-${n}`, status: 'COMPLETED' } };
  const event = { id: `evt-${n}`, type: 'work_order.completed', timestamp: '2026-01-15T14:30:00Z', data };
  return postToMes(product.url, MES_SECRET, JSON.stringify(event));
}

/** Posts work orders one after the other. @returns the statuses that were answered */
async function postInTurn(from: number, to: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = from; n < to; n++) statuses.push(await postWorkOrder(n));
  return statuses;
}

/** Waits until so many work orders have arrived at the path. */
async function untilAllAt(path: string, count: number): Promise<void> {
  const seen = new Set<string>();
  let looked = 0;
  await receiver.waitFor(() => {
    for (; looked < receiver.requests.length; looked++) {
      const request = receiver.requests[looked]!;
      if (request.path === path) seen.add(workOrderOf(request));
    }
    return seen.size >= count;
  });
}

function requestsAt(path: string): ReceivedRequest[] {
  return receiver.requests.filter((request) => request.path === path);
}

function workOrderOf({ body }: ReceivedRequest): string {
  return (JSON.parse(body.toString()) as { data: { workOrder: { id: string } } }).data.workOrder.id;
}

function timesUp(): number {
  return product.stderr.filter((line) => line.includes('"Node-RED is up."')).length;
}

it(
  'a crash of Node-RED costs no event: webhooks go on, and flows go on where they were',
  { timeout: SLOW_MS },
  async () => {
    // The flow runs, and is in the middle of its work when its process is killed.
    const posting = postInTurn(1, BEFORE);
    await untilAllAt('/flow', 2);
    const [nodeRedPid, ...others] = childPids(product.pid);
    expect(others).toEqual([]);
    process.kill(nodeRedPid!, 'SIGKILL');
    await untilGone(product.editorUrl!);

    // Nothing of this is noticed on the way past it.
    const meanwhile = Array.from({ length: ALL - BEFORE }, (_, index) => postWorkOrder(BEFORE + index));
    const statuses = [...(await posting), ...(await Promise.all(meanwhile))];
    expect(new Set(statuses)).toEqual(new Set([200]));
    await untilAllAt('/direct', ALL);
    expect(timesUp()).toBe(1);
    expect(requestsAt('/direct')).toHaveLength(ALL);
    for (const request of requestsAt('/direct')) expect(findObjections(request, directSecret)).toEqual([]);

    // The flow gets everything when it is back, and what it was at when it crashed once more: a plain request is
    // made again, a message is not.
    await untilAllAt('/flow', ALL);
    await untilNoneIsOpen(product);
    expect(childPids(product.pid)).not.toContain(nodeRedPid);
    expect(requestsAt('/told').length).toBeGreaterThan(ALL);
    const sent = requestsAt('/flow');
    expect(new Set(sent.map(workOrderOf)).size).toBe(ALL);
    expect(new Set(sent.map(({ headers }) => headers['webhook-id'])).size).toBe(ALL);
    expect(sent).toHaveLength(ALL);
  },
);
