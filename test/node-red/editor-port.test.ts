import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { expect, it } from 'vitest';

import { systemClock } from '../../gateway/clock.ts';
import { reserveEditorPort } from '../../gateway/node-red/editor-port.ts';

async function listenSomewhere(): Promise<{ port: number; close(): void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

it('finds a free port where any will do', async () => {
  expect(await reserveEditorPort('127.0.0.1', 0, 0, systemClock)).toBeGreaterThan(0);
});

it('takes a port that comes free while it waits', async () => {
  const other = await listenSomewhere();
  const reserved = reserveEditorPort('127.0.0.1', other.port, 10_000, systemClock);
  other.close();
  expect(await reserved).toBe(other.port);
});

it('gives up on a port that does not come free', async () => {
  const other = await listenSomewhere();
  await expect(reserveEditorPort('127.0.0.1', other.port, 0, systemClock)).rejects.toMatchObject({
    code: 'PORT_TAKEN',
  });
  other.close();
});

it('names the settings where the address is not one of this machine', async () => {
  await expect(reserveEditorPort('192.0.2.1', 0, 0, systemClock)).rejects.toMatchObject({
    code: 'CONFIGURATION',
    message: expect.stringContaining('HOOKLINE_HOST'),
  });
});
