import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { makeBody } from './make-body.ts';

export interface Load {
  port: number;
  secret: string;
  run: string;
  count: number;
  connections: number;
  /** Events a second; 0: as fast as answers come. */
  perSecond: number;
}

/**
 * The sender: signed events over keep-alive connections, each made before the clock starts. Runs as a process of
 * its own; answers with seconds, the status codes and how long each acknowledgement took.
 */
process.once('message', (load: Load) => {
  const requests = Array.from({ length: load.count }, (_, n) => makeRequest(load, n));
  process.send!({ prepared: true });
  process.once('message', () => run(load, requests));
});
process.on('disconnect', () => process.exit(0));
process.send!({ ready: true });

function makeRequest({ secret, run }: Load, n: number): Buffer {
  const body = makeBody(n, run);
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return Buffer.from(
    `POST /webhooks/mes HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nx-mes-signature: ${signature}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function run({ port, connections, count, perSecond }: Load, requests: Buffer[]): void {
  const ackMs: number[] = [];
  const sentAt: number[] = [];
  const codes: Record<string, number> = {};
  const idle: (() => void)[] = [];
  let next = 0;
  let done = 0;
  const startedAt = performance.now();
  const due = (): number =>
    perSecond === 0
      ? count
      : Math.min(count, Math.floor(((performance.now() - startedAt) / 1000) * perSecond) + 1);
  const pump = (): void => {
    while (next < due() && idle.length > 0) idle.pop()!();
  };
  for (let c = 0; c < connections; c++) {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    let sent = 0;
    const send = (): void => {
      const n = next++;
      sent = performance.now();
      sentAt[n] = performance.timeOrigin + sent;
      socket.write(requests[n]!);
    };
    socket.on('connect', () => {
      idle.push(send);
      pump();
    });
    socket.on('data', (chunk) => {
      // One request is out per connection, and the answers are smaller than a packet.
      const code = chunk.toString('latin1', 9, 12);
      codes[code] = (codes[code] ?? 0) + 1;
      ackMs.push(performance.now() - sent);
      if (++done === count) {
        clearInterval(pacer);
        process.send!({
          seconds: (performance.now() - startedAt) / 1000,
          codes,
          ackMs: ackMs.sort((a, b) => a - b),
          sentAt,
        });
        return;
      }
      idle.push(send);
      pump();
    });
  }
  const pacer = setInterval(pump, 1);
}
