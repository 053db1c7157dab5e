/** Orders files of tests so that the long ones start first: what is left for the end is short, and both workers end at the same time. */
import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Lists the files that take longest, in processor time. Those of the browser stand together, since a worker that goes from one to the next keeps
 * its browser, and so do those that are not kept apart (vitest.config.ts), whose worker keeps what it has imported.
 */
const LONGEST = [
  'test/conformance/conformance.test.ts',
  'test/runtimes/packed-package.test.ts',
  'test/runtimes/bundlers.test.ts',
  'test/browser/webgpu.test.ts',
  'test/browser/web.test.ts',
  'test/browser/download.test.ts',
  'test/browser/encoder.test.ts',
  'test/browser/wasm.test.ts',
  'test/browser/decode.test.ts',
  'test/browser/',
  'test/runtimes/',
  'test/golden/families.test.ts',
  'examples/readme.test.ts',
  'test/conformance/',
  'test/cli/',
  'scripts/',
  'test/native/',
  'test/bench/',
  'test/ci/',
  'test/golden/',
  'src/platform/',
  'test/',
]

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => this.#rank(a) - this.#rank(b))
  }

  #rank({ moduleId }: TestSpecification): number {
    const path = relative(this.ctx.config.root, moduleId).replaceAll('\\', '/')
    const rank = LONGEST.findIndex((start) => path.startsWith(start))
    return rank === -1 ? LONGEST.length : rank
  }
}
