import { Agent, request } from 'node:http';
import { mesHeaders } from './product-client.ts';

export interface FloodOptions {
  /** Of the gateway. */
  url: string;
  /** Of the source `mes`. */
  secret: string;
  /** Requests under way at a time, each on a connection of its own. */
  connections: number;
  /** So many events are sent in all, each once. */
  requests: number;
  bodyBytes: number;
  /** Called for each 503. */
  onRefused: () => void;
}

/** How a flood was answered. */
export interface FloodResult {
  /** Ids of the events that were answered 200. */
  accepted: string[];
  /** How many were answered 503. */
  refused: number;
  /** What was neither of them, and how connections broke. */
  others: string[];
}

/** Sends large events as fast as the answers come, over many connections at once. */
export async function flood(options: FloodOptions): Promise<FloodResult> {
  const { url, secret, connections, requests, bodyBytes, onRefused } = options;
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const result: FloodResult = { accepted: [], refused: 0, others: [] };
  let count = 0;

  const post = (id: string, body: string): Promise<void> =>
    new Promise((resolve) => {
      const headers = { ...mesHeaders(body, secret), 'content-length': Buffer.byteLength(body) };
      const sent = request({ hostname, port, path: '/webhooks/mes', method: 'POST', agent, headers });
      sent.on('response', (response) => {
        const { statusCode, headers: answered } = response;
        if (statusCode === 200) result.accepted.push(id);
        else if (statusCode === 503 && Number(answered['retry-after']) > 0) {
          result.refused += 1;
          onRefused();
        } else result.others.push(`${statusCode} ${JSON.stringify(answered)}`);
        response.resume();
        response.on('error', (error) => result.others.push(error.message));
        response.on('close', resolve);
      });
      sent.on('error', (error) => {
        result.others.push(error.message);
        resolve();
      });
      sent.end(body);
    });

  const work = async (): Promise<void> => {
    while (count < requests) {
      const id = `evt-flood-${++count}`;
      await post(id, makeBody(id, bodyBytes));
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  agent.destroy();
  return result;
}

function makeBody(id: string, bytes: number): string {
  const data = { workOrder: { id, notes: 'x'.repeat(bytes) } };
  return JSON.stringify({ id, type: 'work_order.updated', timestamp: '2026-01-15T14:30:00Z', data });
}
