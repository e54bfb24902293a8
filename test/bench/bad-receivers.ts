import { createServer } from 'node:http';

/** Receivers that are no good: the first half never answers, the second half answers 500. Prints their ports. */
const ports = await Promise.all(
  Array.from({ length: Number(process.argv[2]) }, (_, n) => {
    const server = createServer((request, response) => {
      request.resume();
      if (n >= Number(process.argv[2]) / 2) response.writeHead(500).end('no');
    });
    return new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
  }),
);
process.on('disconnect', () => process.exit(0));
process.send!({ ports });
