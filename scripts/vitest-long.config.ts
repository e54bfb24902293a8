import { join } from 'node:path';

import { defineConfig } from 'vitest/config';

import everyday from '../vitest.config.ts';

/** The everyday tests and those of `test/long/`, which take minutes each. */
export default defineConfig({
  ...everyday,
  root: join(import.meta.dirname, '..'),
  test: { ...everyday.test, exclude: [] },
});
