/** Weights have the same digest wherever it is computed: an output that names it may be gone on with on another machine. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createNativeDigestOn } from '../../src/engine/native/native-digest.js'
import { DIGEST_BLOCK, type DigestWords, digestWords } from '../../src/kernels/digest-words.js'
import { nativeAvailability } from '../../src/platform/node/native/index.js'
import { loadAddon } from '../../src/platform/node/native/load-addon.js'
import { createWasmDigest } from '../../src/platform/node/wasm/wasm-digest.js'

const ways: readonly (readonly [string, () => DigestWords])[] = [
  ['wasm', createWasmDigest],
  ...nativeAvailability().instructionSets.map(
    (set) => [`native ${set}`, () => createNativeDigestOn(loadAddon(), set)] as const,
  ),
]
const counts = fc.oneof(
  fc.nat({ max: 200 }),
  fc.integer({ min: -33, max: 33 }).map((more) => DIGEST_BLOCK + more),
  fc.integer({ min: -1, max: 1 }).map((more) => 2 * DIGEST_BLOCK + more),
)

test.each(ways)('%s gives the very words of the portable code', async (_way, create) => {
  const digest = create()
  await fc.assert(
    fc.asyncProperty(counts, fc.integer(), fc.nat({ max: 3 }), async (count, seed, offset) => {
      let state = seed
      const words = new Int32Array(count + offset).map(() => {
        state = (Math.imul(state, 1664525) + 1013904223) | 0
        return state
      })
      // A weight may begin anywhere in its memory.
      const values = new Float32Array(words.buffer, 4 * offset)
      expect(await digest(values)).toEqual(digestWords(values))
    }),
    { numRuns: 20 },
  )
})
