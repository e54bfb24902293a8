import { createHmac, createSecretKey } from 'node:crypto';
import { Pool } from 'undici';
import { makeBody } from './make-body.ts';

/**
 * The baseline: signs a body and POSTs it with a bare undici pool, as fast as it goes, nothing kept.
 * Runs as a process of its own; told how many, it answers with seconds and CPU microseconds per request.
 */
process.on(
  'message',
  ({ port, count, connections }: { port: number; count: number; connections: number }) => {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 });
    const key = createSecretKey(Buffer.from('a-secret-of-the-bench'));
    let started = 0;
    let done = 0;
    const cpuBefore = process.cpuUsage();
    const startedAt = performance.now();
    const next = (): void => {
      if (started >= count) return;
      const body = makeBody(started++);
      const signature = createHmac('sha256', key).update(body).digest('hex');
      pool.dispatch(
        {
          path: '/hook',
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-mes-signature': signature },
          body,
        },
        {
          onRequestStart() {},
          onResponseStart() {},
          onResponseData() {},
          onResponseEnd() {
            done++;
            if (done === count) finish();
            else next();
          },
          onResponseError(_controller: unknown, error: Error) {
            throw error;
          },
        },
      );
    };
    const finish = (): void => {
      const seconds = (performance.now() - startedAt) / 1000;
      const cpu = process.cpuUsage(cpuBefore);
      process.send!({ seconds, cpuUs: (cpu.user + cpu.system) / count });
      void pool.close();
    };
    for (let n = 0; n < connections; n++) next();
  },
);
process.on('disconnect', () => process.exit(0));
process.send!({ ready: true });
