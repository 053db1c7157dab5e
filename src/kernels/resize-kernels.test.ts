import { expect, test } from 'vitest'
import { bilinearTaps, resampleTable } from './resample-table.js'
import { resizeKernels } from './resize-kernels.js'

const random = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 12.9898 * i) * 0.5)

const dot = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? Number.NaN), 0)

test('a resized kernel gives of a patch enlarged as much what the kernel gives of the patch', () => {
  const [kernel, patch] = [random(16, 1), random(16, 2)]
  for (const side of [5, 6, 9]) {
    const taps = bilinearTaps(4, side)
    const enlarged = resampleTable(patch, [4, 4], taps, taps)
    expect(dot(resizeKernels(kernel, 4, side), enlarged)).toBeCloseTo(dot(kernel, patch), 5)
  }
})

test('a smaller kernel gives the same of every patch that shrinking loses nothing of', () => {
  const [kernel, few] = [random(36, 3), random(9, 5)]
  const taps = bilinearTaps(6, 3)
  const weight = (row: number, at: number) =>
    (taps.indices[row] ?? []).reduce(
      (sum, tap, i) => sum + (tap === at ? (taps.weights[row]?.[i] ?? 0) : 0),
      0,
    )
  const patch = Float32Array.from({ length: 36 }, (_, at) =>
    few.reduce(
      (sum, value, i) => sum + value * weight(Math.floor(i / 3), Math.floor(at / 6)) * weight(i % 3, at % 6),
      0,
    ),
  )
  const shrunk = resampleTable(patch, [6, 6], taps, taps)
  expect(dot(resizeKernels(kernel, 6, 3), shrunk)).toBeCloseTo(dot(kernel, patch), 5)
})

test('a kernel of its own side is what it was', () => {
  const kernel = random(25, 4)
  for (const [i, value] of resizeKernels(kernel, 5, 5).entries())
    expect(value).toBeCloseTo(kernel[i] ?? Number.NaN, 6)
})
