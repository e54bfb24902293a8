import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { systemClock } from '../../gateway/clock.ts';
import { readConfig } from '../../gateway/config.ts';
import { startGateway } from '../../gateway/gateway.ts';
import { createLogger, gatherLines } from '../../gateway/log.ts';
import { withoutStore } from './memory-store.ts';

/** The gateway in a process of its own, with its log written and thrown away. Told to, says what CPU it used. */
const dataDir = mkdtempSync(join(tmpdir(), 'hookline-bench-'));
const config = readConfig(
  {
    HOOKLINE_PORT: '0',
    HOOKLINE_DATA_DIR: dataDir,
    HOOKLINE_EGRESS_ALLOW: '127.0.0.0/8',
    WEBHOOK_SECRET: process.argv[2],
  },
  dataDir,
);
const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
const gateway = await startGateway({
  config,
  secrets: {
    adminKey: 'sk-bench-admin',
    secretKey: Buffer.alloc(32, 7).toString('base64'),
    flowKey: 'sk-bench-flow',
  },
  dataDir,
  clock: systemClock,
  log: createLogger({ stream: gatherLines(nowhere), pretty: false }),
  ...(process.argv[3] === 'off' ? { wrapStore: withoutStore } : {}),
});
for (let n = 0; n < Number(process.argv[5]); n++) {
  // One port, or a list of ports: endpoints are dealt out to them.
  const ports = process.argv[4]!.split(',');
  await gateway.services.endpoints.create({
    url: `http://127.0.0.1:${ports[n % ports.length]}/hook/${n}`,
    events: ['*'],
    maxConcurrency: 64,
  });
}
let cpu = process.cpuUsage();
process.on('message', (message: { ask: string }) => {
  if (message.ask === 'close') {
    void gateway.close().then(() => {
      rmSync(dataDir, { recursive: true });
      process.exit(0);
    });
    return;
  }
  const used = process.cpuUsage(cpu);
  cpu = process.cpuUsage();
  process.send!({ cpuUs: used.user + used.system, rss: process.memoryUsage.rss() });
});
process.on('disconnect', () => process.exit(0));
process.send!({ port: gateway.port });
