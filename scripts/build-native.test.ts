/** Holds the kernels of every instruction set to what the compiler takes, also those that this processor cannot run and which nobody therefore builds here. */
import { join } from 'node:path'
import { expect, test } from 'vitest'

const { ALL_SETS, checkKernels, setsOfThisProcessor } = (await import(
  join(import.meta.dirname, 'build-native.mjs')
)) as {
  readonly ALL_SETS: readonly string[]
  checkKernels(set: string): Promise<string | null>
  setsOfThisProcessor(options?: { fastestOnly?: boolean }): readonly string[]
}
const { INSTRUCTION_SETS } = await import('../src/engine/native/addon.js')
const { nativeAvailability } = await import('../src/platform/node/native/index.js')
const here = setsOfThisProcessor()

test('each instruction set that the engine knows has kernels, fastest first', () => {
  expect(ALL_SETS).toEqual(process.arch === 'x64' ? INSTRUCTION_SETS : ['generic'])
})

test.skipIf(!nativeAvailability().available)(
  'what the processor is said to run is what the addon finds',
  () => {
    expect(nativeAvailability().instructionSets).toEqual(here)
    expect(setsOfThisProcessor({ fastestOnly: true })[0]).toBe(here[0])
  },
)

test.skipIf(!nativeAvailability().available).each(ALL_SETS.filter((set) => !here.includes(set)))(
  'the kernels of %s compile, though this processor cannot run them',
  async (set) => expect(await checkKernels(set)).toBeNull(),
)
