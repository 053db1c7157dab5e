import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DIGEST_BLOCK, digestLength, digestWords } from './digest-words.js'

const words = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 200 })

function valuesOf(integers: readonly number[]): Float32Array {
  return new Float32Array(Int32Array.from(integers).buffer)
}

test('one bit that is another one, wherever it is, changes the digest', () => {
  fc.assert(
    fc.property(words, fc.nat(), fc.integer({ min: 0, max: 31 }), (integers, place, bit) => {
      const at = place % integers.length
      const changed = integers.map((word, index) => (index === at ? word ^ (1 << bit) : word))
      expect(digestWords(valuesOf(changed))).not.toEqual(digestWords(valuesOf(integers)))
    }),
  )
})

test('two words that change places change the digest, also those of one lane', () => {
  fc.assert(
    fc.property(words, fc.nat(), fc.nat({ max: 4 }), (integers, place, stripes) => {
      const [one, other] = [place % integers.length, (place % integers.length) + 32 * stripes]
      const changed = [...integers]
      const [a, b] = [integers[one], integers[other]]
      if (a === undefined || b === undefined || a === b) return
      changed[one] = b
      changed[other] = a
      expect(digestWords(valuesOf(changed))).not.toEqual(digestWords(valuesOf(integers)))
    }),
  )
})

test('blocks have digests of their own, side by side', () => {
  const values = new Float32Array(DIGEST_BLOCK + 7).map((_, index) => index)
  const apart = [values.subarray(0, DIGEST_BLOCK), values.subarray(DIGEST_BLOCK)].flatMap((block) => [
    ...digestWords(block),
  ])
  expect([...digestWords(values)]).toEqual(apart)
  expect(digestLength(values.length)).toBe(apart.length)
})

// The numbers were computed apart, in Python.
test('the digest stays what it was: outputs that name it are compared with it for years', () => {
  const digest = digestWords(new Float32Array(70).map((_, index) => index / 8))
  expect([digest[0], digest[31], digest[32], digest[63]]).toEqual([
    -266451420, 1326744049, -1029621143, -633843381,
  ])
})
