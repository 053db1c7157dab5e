/** Orders files of tests so that the long ones start first: what is left for the end is short, and both workers end at the same time. */
import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Lists the files that take longest, in processor time. Those of the browser stand together, since a worker that goes from one to the next keeps
 * its browser.
 */
const LONGEST = [
  'test/conformance/conformance.test.ts',
  'test/browser/webgpu.test.ts',
  'test/runtimes/packed-package.test.ts',
  'test/runtimes/bundlers.test.ts',
  'test/browser/download.test.ts',
  'test/browser/web.test.ts',
  'test/browser/encoder.test.ts',
  'test/browser/wasm.test.ts',
  'test/browser/decode.test.ts',
  'test/runtimes/',
  'examples/readme.test.ts',
  'test/conformance/',
  'test/cli/',
  'src/platform/',
  'test/hostile/',
  'scripts/',
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
