import { defineConfig } from 'vitest/config';
import browserTests from './vitest.e2e.config.ts';

/** Measurements, on the same server and browser as the tests: a report to read, not a promise to keep. */
export default defineConfig({
  test: { ...browserTests.test, include: ['e2e/**/*.report.ts'], testTimeout: 600_000 },
});
