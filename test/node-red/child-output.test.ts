import { PassThrough } from 'node:stream';

import { expect, it } from 'vitest';

import { logChildOutput } from '../../gateway/node-red/child-output.ts';
import { createLogTap } from './support/log-tap.ts';

it('passes lines on with their level, and what a node printed by itself as information', async () => {
  const output = new PassThrough();
  const tap = createLogTap();
  logChildOutput(output, tap.log);
  output.write('{"nodeRed":20,"type":"hookline-event","node":"orders","msg":"It broke.\\n  at line 1"}\n');
  output.write('Hello from a\nnode\n\n');
  output.end('{"nodeRed": half a line');
  await tap.next('{"nodeRed": half a line');
  expect(tap.entries).toMatchObject([
    { level: 'error', nodeType: 'hookline-event', node: 'orders', msg: 'It broke.\n  at line 1' },
    { level: 'info', msg: 'Hello from a' },
    { level: 'info', msg: 'node' },
    { level: 'info', msg: '{"nodeRed": half a line' },
  ]);
});
