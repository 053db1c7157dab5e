import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gatherStrided, isRowMajor, lastPlace } from './strides.js'

const axis = fc.record({ size: fc.integer({ min: 1, max: 4 }), stride: fc.integer({ min: 0, max: 9 }) })
const layout = fc.array(axis, { maxLength: 4 })
const shapeOf = (axes: readonly { size: number }[]) => axes.map(({ size }) => size)
const stridesOf = (axes: readonly { stride: number }[]) => axes.map(({ stride }) => stride)

/** Lists the places of all elements in row-major order, by the definition of strides. */
function places(axes: readonly { size: number; stride: number }[]): readonly number[] {
  let found = [0]
  for (const { size, stride } of axes)
    found = found.flatMap((start) => Array.from({ length: size }, (_, i) => start + i * stride))
  return found
}

test.each([
  [1, Uint8Array],
  [2, Uint16Array],
  [4, Uint32Array],
  [8, BigUint64Array],
] as const)(
  'elements of %i bytes stand where the strides say, also from an odd address',
  (bytesEach, Elements) => {
    fc.assert(
      fc.property(layout, (axes) => {
        const expected = places(axes)
        const storage = new Uint8Array(1 + bytesEach * (Math.max(...expected) + 1))
        const view = new DataView(storage.buffer, 1)
        for (const place of expected) view.setUint8(place * bytesEach, place)
        const gathered = gatherStrided(storage.subarray(1), bytesEach, shapeOf(axes), stridesOf(axes))
        expect(Array.from(new Elements(gathered.buffer), Number)).toEqual(expected)
      }),
      { numRuns: 50 },
    )
  },
)

test('the last place is the largest one, and row-major layouts are those whose places count up', () => {
  fc.assert(
    fc.property(layout, (axes) => {
      const found = places(axes)
      expect(lastPlace(7, shapeOf(axes), stridesOf(axes))).toBe(7 + Math.max(...found))
      expect(isRowMajor(shapeOf(axes), stridesOf(axes))).toBe(found.every((place, index) => place === index))
    }),
  )
})
