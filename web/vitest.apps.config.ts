import { defineConfig } from 'vitest/config';
import browserTests from './vitest.e2e.config.ts';

/** Applications that are built from the packed archive, on the same server and browser as the tests. */
export default defineConfig({
  test: { ...browserTests.test, include: ['e2e/**/*.apps.ts'], hookTimeout: 600_000, testTimeout: 60_000 },
});
