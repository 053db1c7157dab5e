/** Says how the tests are found, ordered and counted. `node scripts/test.mjs` runs them after the set-up. */
import { join } from 'node:path'
import { configDefaults, defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.js'

/** Workers inherit it: what one of them makes on the disk is there for the others, and gone after the run. */
process.env.PLUMAGE_TEST_FOLDER ??= join(import.meta.dirname, `.plumage/tests-${process.pid}`)
/** What is noted of models lies there too: a test neither finds what the user's own programs have noted nor leaves anything behind. */
process.env.PLUMAGE_CACHE ??= join(process.env.PLUMAGE_TEST_FOLDER, 'cache')

const BROWSER = ['test/browser/**/*.test.ts', 'test/runtimes/**/*.test.ts']
/** These have nothing to keep apart: they change nothing of their process that they do not put back, and measure nothing of it. */
const TOGETHER = ['src/**/*.test.ts', 'test/{field,fields,hostile}/**/*.test.ts']

export default defineConfig({
  test: {
    // There are two cores, and a quarter of the time tests wait for processes, disks and clocks: a third worker uses it (the whole took 11:14, and then 8:57).
    maxWorkers: 3,
    testTimeout: 180_000,
    // An emulated GPU's shaders take a minute to compile the first time.
    hookTimeout: 300_000,
    expect: { poll: { timeout: 30_000 } },
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/support/folder-of-run.ts'],
    setupFiles: ['test/support/equal-arrays.ts'],
    projects: [
      // Files of one worker share its browser.
      { extends: true, test: { name: 'browser', include: BROWSER, isolate: false } },
      // They are many small files: importing the library anew takes longer than most of them.
      { extends: true, test: { name: 'together', include: TOGETHER, isolate: false } },
      {
        extends: true,
        test: {
          name: 'apart',
          include: ['{test,scripts,examples}/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...BROWSER, ...TOGETHER],
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/**/*.test.ts', 'src/**/index.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { lines: 90 },
    },
  },
})
