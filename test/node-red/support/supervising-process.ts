import { systemClock } from '../../../gateway/clock.ts';
import { createLogger } from '../../../gateway/log.ts';
import { startNodeRed } from '../../../gateway/node-red/supervisor.ts';

/* A process that does nothing but look after a Node-RED: `node supervising-process.ts DATA_DIR`; prints its URL. */

const [dataDir = ''] = process.argv.slice(2);
const nodeRed = await startNodeRed({
  config: { host: '127.0.0.1', editorPort: 0 },
  dataDir,
  gatewayUrl: 'http://127.0.0.1:9',
  secrets: { flowKey: 'sk-flow', credentialSecret: 'credential-secret' },
  log: createLogger({ stream: process.stderr }),
  clock: systemClock,
});
console.log(nodeRed.url);
