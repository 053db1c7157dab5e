import fc from 'fast-check'
import { expect, test } from 'vitest'
import { elementCount, type Shape } from '../../tensor/shape.js'
import { PLAIN, type VitConfig } from '../vit-config.js'
import { type Layout, writtenSource } from './layout.js'
import {
  band,
  column,
  everyColumn,
  rowsOf,
  type StoredWeight,
  scaledBy,
  stacked,
  stored,
  tokenWithPositions,
} from './stored-weight.js'

/** Makes the tensors of a weight, and the weight of these. */
function thereAndBack(weight: Float32Array, { parts, put, combine }: StoredWeight): Float32Array {
  const tensors = parts.map(({ shape }, part) => {
    const into = new Float32Array(elementCount(shape)).fill(Number.NaN)
    put?.(weight, into, part)
    return into
  })
  return combine(...tensors)
}

const SHAPE = [6, 4] as const
const values = fc
  .array(fc.float({ noNaN: true, noDefaultInfinity: true, max: 2 ** 100, min: -(2 ** 100) }), {
    minLength: 24,
    maxLength: 24,
  })
  .map((list) => Float32Array.from(list))

const PLACES: readonly (readonly [name: string, place: StoredWeight])[] = [
  ['a tensor of its own', stored('a', SHAPE)],
  ['three tensors, one below the other', stacked(['q', 'k', 'v'], SHAPE)],
  ['the second band of rows', band('w12', SHAPE, 1, 2)],
  ['some rows of a tensor', rowsOf('in_proj', SHAPE, 3, 12)],
  ['half of what the file has', scaledBy(0.5, 'head', SHAPE)],
  ['the second band of columns', column('classifier', [6, 8], 1, 2)],
  ['every second column', everyColumn('linear.weight', [6, 8], 1, 2)],
  [
    'a token beside a row of positions',
    tokenWithPositions({ tensor: 'cls', shape: [1, 1, 24] }, { tensor: 'pos', shape: [1, 3, 24] }, 1),
  ],
]

test.each(PLACES)('a weight that lies as %s is made of what it made, negative zeros too', (_name, place) => {
  fc.assert(
    fc.property(values, (weight) => {
      const back = thereAndBack(weight, place)
      return weight.every((value, at) => Object.is(back[at], value))
    }),
  )
  const zero = new Float32Array(24).fill(-0)
  expect(Object.is(thereAndBack(zero, place)[7], -0)).toBe(true)
})

test('patches that a layout keeps pixel by pixel come back in the order of a convolution', () => {
  const layout: Layout = {
    dialect: 'odd',
    classToken: '',
    registers: '',
    positions: '',
    blocks: '',
    scale: null,
    patches: 'pixels',
    modules: { conv_proj: 'proj' },
    parts: {},
  }
  const config = { ...PLAIN, channels: 3, patchSize: 2 } as unknown as VitConfig
  const shape: Shape = [2, 12]
  const weight = Float32Array.from({ length: 24 }, (_, at) => at)
  const place = writtenSource(layout)('conv_proj.weight', shape, config)
  const into = new Float32Array(24)
  place.put?.(weight, into, 0)
  // The first pixel of the first patch has its three channels side by side.
  expect([...into.subarray(0, 3)]).toEqual([0, 4, 8])
  expect([...thereAndBack(weight, place)]).toEqual([...weight])
})
