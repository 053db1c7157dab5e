import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PickleTensor } from '../pickle/pickle-value.js'
import { gatherWindow, swapBytes, tensorWindow } from './tensor-window.js'

const tensor = (count: number, offset: number, shape: number[], strides: number[]): PickleTensor => ({
  kind: 'tensor',
  storage: { kind: 'storage', key: '0', dtype: 'I16', total: count, start: 0, count },
  dtype: 'I16',
  offset,
  shape,
  strides,
})
const storage = (count: number) => new Uint8Array(Int16Array.from({ length: count }, (_, i) => i).buffer)
const read = (count: number, offset: number, shape: number[], strides: number[]) => {
  const window = tensorWindow(tensor(count, offset, shape, strides), 't', 'it')
  const span = storage(count).slice(window.spanStart, window.spanStart + window.spanLength)
  return [...new Int16Array(gatherWindow(window, span).buffer)]
}

test('a transposed matrix is gathered row by row', () => {
  expect(read(6, 0, [3, 2], [1, 3])).toEqual([0, 3, 1, 4, 2, 5])
})

test('a column, a repeated row and a scalar', () => {
  expect(read(6, 1, [2], [3])).toEqual([1, 4])
  expect(read(6, 2, [3, 2], [0, 1])).toEqual([2, 3, 2, 3, 2, 3])
  expect(read(6, 5, [], [])).toEqual([5])
})

test('sides of length 1 may have any stride: the span is the tensor', () => {
  expect(tensorWindow(tensor(6, 0, [1, 6, 1], [999, 1, 7]), 't', 'it')).toMatchObject({
    strides: null,
    spanLength: 12,
  })
})

test('every element stands where offset and strides say', () => {
  const axis = fc.record({ size: fc.integer({ min: 1, max: 4 }), stride: fc.integer({ min: 0, max: 9 }) })
  fc.assert(
    fc.property(fc.array(axis, { maxLength: 4 }), fc.nat(5), (axes, offset) => {
      const shape = axes.map(({ size }) => size)
      const strides = axes.map(({ stride }) => stride)
      let expected = [offset]
      for (const { size, stride } of axes) {
        expected = expected.flatMap((start) => Array.from({ length: size }, (_, i) => start + i * stride))
      }
      expect(read(Math.max(...expected) + 1, offset, shape, strides)).toEqual(expected)
    }),
    { numRuns: 200 },
  )
})

test.each([
  ['one place too far', 6, 1, [6], [1]],
  ['a negative stride', 6, 5, [6], [-1]],
  ['a size without a stride', 6, 0, [2, 3], [1]],
  ['half an element', 6, 0.5, [1], [1]],
  ['sizes whose product is beyond counting', 6, 0, new Array(64).fill(2 ** 50), new Array(64).fill(0)],
  ['an element repeated a billion times', 6, 0, [2 ** 30], [0]],
])('%s is refused by the tensor’s name', (_, count, offset, shape, strides) => {
  expect(() => tensorWindow(tensor(count, offset, shape, strides), 't', 'it')).toThrow(/^it: t /)
})

test('an empty tensor needs no place, whatever its other sizes', () => {
  expect(tensorWindow(tensor(0, 0, [2 ** 50, 2 ** 50, 0], [0, 0, 1]), 't', 'it').byteLength).toBe(0)
})

test('bytes of big-endian machines are turned', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  swapBytes(bytes, 4)
  expect([...bytes]).toEqual([4, 3, 2, 1, 8, 7, 6, 5])
})
