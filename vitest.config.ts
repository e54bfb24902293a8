import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Vite would take graphql's development build for our files and leave libraries the other one: two graphqls.
  ssr: { resolve: { conditions: ['module', 'node'] } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/long/**'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Two cores: more files at once only make real processes wait for each other.
    maxWorkers: 2,
  },
});
