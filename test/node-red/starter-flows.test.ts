import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { assembleStarterFlows } from '../../gateway/node-red/starter-flows.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

let folder: TempFolder;

beforeAll(async () => {
  folder = await makeTempFolder();
  const write = (name: string, nodes: object[]): void =>
    writeFileSync(join(folder.path, name), JSON.stringify(nodes));
  write('02-second.json', [
    { id: 'tab2', type: 'tab' },
    { id: 'event2', type: 'hookline-event', z: 'tab2', gateway: 'gateway-of-2', wires: [['debug2']] },
    { id: 'gateway-of-2', type: 'hookline-gateway', name: 'second' },
  ]);
  write('01-first.json', [
    { id: 'tab1', type: 'tab' },
    { id: 'event1', type: 'hookline-event', z: 'tab1', gateway: 'gateway-of-1', wires: [[]] },
    { id: 'gateway-of-1', type: 'hookline-gateway', name: 'first' },
  ]);
  write('03-third.json', [
    { id: 'tab3', type: 'tab' },
    { id: 'gateway-of-1', type: 'hookline-gateway', name: 'first again' },
  ]);
  writeFileSync(join(folder.path, 'README.md'), 'not a flow');
});

afterAll(() => folder[Symbol.asyncDispose]());

it('puts the flows together in the order of their names', () => {
  const tabs = assembleStarterFlows(folder.path).filter((node) => node.type === 'tab');
  expect(tabs.map((tab) => tab.id)).toEqual(['tab1', 'tab2', 'tab3']);
});

it('has one gateway node, and every node uses it', () => {
  const nodes = assembleStarterFlows(folder.path);
  expect(nodes.filter((node) => node.type === 'hookline-gateway')).toEqual([
    { id: 'gateway-of-1', type: 'hookline-gateway', name: 'first' },
  ]);
  const events = nodes.filter((node) => node.type === 'hookline-event');
  expect(events.map((node) => node['gateway'])).toEqual(['gateway-of-1', 'gateway-of-1']);
  expect(events[1]).toMatchObject({ z: 'tab2', wires: [['debug2']] });
});

it('is empty where there are no flows', () => {
  expect(assembleStarterFlows(join(folder.path, 'nowhere'))).toEqual([]);
});
