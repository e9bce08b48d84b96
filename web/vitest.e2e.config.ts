import { defineConfig } from 'vitest/config';

// One server and one browser for all files, one file at a time: the tests speak about the same log.
export default defineConfig({
  test: {
    include: ['e2e/**/*.e2e.ts'],
    globalSetup: 'e2e/server.ts',
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
