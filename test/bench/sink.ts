import { createServer } from 'node:net';

/**
 * A receiver that costs as little as JavaScript allows: counts requests, answers each with 200. Runs as a process
 * of its own; prints its port, then answers each message with what it has counted and when each came.
 */
const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const HEADER_END = Buffer.from('\r\n\r\n');

let count = 0;
let awaited = -1;
let arrivals: Record<string, number> | null = null;

const server = createServer((socket) => {
  let pending: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    let answers = '';
    for (;;) {
      const end = pending.indexOf(HEADER_END);
      if (end === -1) break;
      const head = pending.toString('latin1', 0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (pending.length < end + 4 + length) break;
      count++;
      if (count === awaited) process.send!({ count });
      if (arrivals)
        arrivals[/webhook-id: (\S+)/i.exec(head)?.[1] ?? ''] = performance.timeOrigin + performance.now();
      pending = pending.subarray(end + 4 + length);
      answers += ANSWER;
    }
    if (answers !== '') socket.write(answers);
  });
  socket.on('error', () => {});
});
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as { port: number }).port }));

process.on('message', (message: { ask: 'until' | 'time' | 'arrivals'; count?: number }) => {
  if (message.ask === 'time') {
    arrivals = {};
    process.send!({ ok: true });
  } else if (message.ask === 'arrivals') process.send!({ arrivals });
  else if (count >= message.count!) process.send!({ count });
  else awaited = message.count!;
});
process.on('disconnect', () => process.exit(0));
