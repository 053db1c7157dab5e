/** How the tests are found and counted. `node scripts/test.mjs` runs them after the set-up. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts', 'examples/**/*.test.ts'],
    // Two cores, and the native engine uses both: more workers would only make tests wait for each other.
    maxWorkers: 2,
    testTimeout: 180_000,
    // An emulated GPU's shaders take a minute to compile the first time.
    hookTimeout: 300_000,
    expect: { poll: { timeout: 30_000 } },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/**/*.test.ts', 'src/**/index.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { lines: 90 },
    },
  },
})
