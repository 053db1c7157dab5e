/** Compares convolutions with those of PyTorch: test/kernels/make-expected.py. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { numbers, rowsOfPlanes } from '../../test/kernels/numbers.js'
import { kernelRows, transposedKernelRows } from '../../test/support/turn-kernels.js'
import { conv2d, transposedConv2d } from './conv2d.js'
import { placesOf } from './patchify.js'

interface Case {
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly columns: number
  readonly kernel: number
  readonly stride: number
  readonly padding: number
  readonly bias: boolean
  readonly size: readonly [number, number]
  readonly y: readonly number[]
}
const expected: Readonly<Record<'conv2d' | 'transposedConv2d', readonly Case[]>> = JSON.parse(
  readFileSync(new URL('../../test/kernels/expected.json', import.meta.url), 'utf8'),
)
const nameOf = ({ height, width, kernel, stride, padding }: Case) =>
  `${height} x ${width}, kernel ${kernel}, stride ${stride}, padding ${padding}`

test.each(expected.conv2d.map((row) => [nameOf(row), row] as const))('conv2d of %s', (_, row) => {
  const { height, width, channels, kernel, stride, padding, columns, size } = row
  expect([height, width].map((side) => placesOf(side + 2 * padding, kernel, stride))).toEqual(size)
  const out = new Float32Array(row.y.length)
  conv2d(
    rowsOfPlanes(numbers(channels * height * width), channels),
    kernelRows(numbers(columns * channels * kernel ** 2), kernel, channels),
    row.bias ? numbers(columns) : null,
    { height, width, kernel, stride, padding },
    out,
  )
  expect(out).toEqual(Float32Array.from(row.y))
})

test.each(expected.transposedConv2d.map((row) => [nameOf(row), row] as const))(
  'transposed conv2d of %s',
  (_, { height, width, channels, kernel, stride, padding, columns, bias, size, y }) => {
    const out = new Float32Array(y.length)
    transposedConv2d(
      rowsOfPlanes(numbers(channels * height * width), channels),
      transposedKernelRows(numbers(channels * columns * kernel ** 2), kernel, channels),
      bias ? numbers(columns) : null,
      { height: size[0], width: size[1], kernel, stride, padding },
      out,
    )
    expect(out).toEqual(Float32Array.from(y))
  },
)
