import { existsSync } from 'node:fs';

import { expect, it } from 'vitest';

import { findNodeRed } from '../../gateway/node-red/find-node-red.ts';
import { packageRoot } from '../../gateway/installation/package-root.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

it('finds the one beside the first folder that has one', async () => {
  const empty = await makeTempFolder();
  expect(existsSync(findNodeRed([empty.path, packageRoot]))).toBe(true);
  await empty[Symbol.asyncDispose]();
});

it('says the one command that adds it where there is none', async () => {
  const empty = await makeTempFolder();
  expect(() => findNodeRed([empty.path])).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND', message: expect.stringContaining('npm install node-red') }),
  );
  await empty[Symbol.asyncDispose]();
});
