/** Leaves the number of tests for scripts/test.mjs, in the file that PLUMAGE_TEST_COUNTS names. Vitest wants a reporter as a default export. */
import { writeFileSync } from 'node:fs'

export default class CountReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      let states = 0
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        states++
        if (state === 'pending')
          counts.failed++ // It never came to an end.
        else counts[state]++
      }
      // A file that does not load has no tests, or skips those it has.
      if (module.state() === 'failed' && (states === 0 || module.errors().length > 0)) counts.failed++
    }
    writeFileSync(process.env.PLUMAGE_TEST_COUNTS, JSON.stringify(counts))
  }
}
