/** Holds sizes and padding of timm's ResizeKeepRatio and CenterCropOrPad (data/transforms.py), worked out by its formula. */
import { expect, test } from 'vitest'
import type { FractionPreparation } from './preparation.js'
import { resizeAndCrop } from './prepare-image.js'
import { namedRecipe } from './recipe.js'

const rgbStats = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
const recipe = (preparation: FractionPreparation) =>
  namedRecipe('timm', { modelSize: [8, 8], patchSize: 2, rgbStats, preparation })
const common = { kind: 'fraction', cropFraction: 1, filter: 'bilinear' } as const
const grey = (height: number, width: number) => ({
  height,
  width,
  data: new Uint8Array(height * width * 3).fill(200),
})

test('border fits the longest edge and pads the rest with the mean colour: 20 x 10 becomes 8 x 4 in 8 x 8', () => {
  const { data } = resizeAndCrop(grey(20, 10), recipe({ ...common, mode: 'border', size: [8, 8] }))
  const row = (columns: readonly (readonly number[])[]) => columns.flat()
  // round(255 * mean) is 124, 116 and, since 103.53 rounds up, 104.
  const mean = [124, 116, 104]
  const pixel = [200, 200, 200]
  const expected = row([mean, mean, pixel, pixel, pixel, pixel, mean, mean])
  for (let y = 0; y < 8; y++) expect(Array.from(data.subarray(y * 24, (y + 1) * 24))).toEqual(expected)
})

test('an input that is no square is covered by the ratio that keeps both sides: 8 x 4 out of 20 x 20', () => {
  const made = recipe({ ...common, mode: 'center', size: [8, 4] })
  expect(made.resize).toEqual({ kind: 'keep-ratio', size: [8, 4], edge: 'shortest' })
  const { data, height, width } = resizeAndCrop(grey(20, 20), made)
  expect([height, width]).toEqual([8, 4])
  expect(data.every((level) => level === 200)).toBe(true)
})

test('sizes round half to even: 5 x 10 into 8 x 4 grows to 8 x 16, 15 x 6 to 10 x 4', () => {
  const made = recipe({ ...common, mode: 'center', size: [8, 4] })
  expect(made.size).toEqual([8, 4])
  expect(resizeAndCrop(grey(5, 10), made)).toMatchObject({ height: 8, width: 4 })
  expect(resizeAndCrop(grey(15, 6), made)).toMatchObject({ height: 8, width: 4 })
})

test('a crop fraction of the caller counts before that of the files, and belongs to recipes that have one', () => {
  const preparation: FractionPreparation = { ...common, mode: 'center', size: [8, 8], cropFraction: 0.5 }
  const options = { modelSize: [8, 8], patchSize: 2, rgbStats, preparation } as const
  expect(namedRecipe('timm', options).resize).toEqual({ kind: 'short-side', side: 16 })
  expect(namedRecipe('timm', { ...options, cropFraction: 0.8 }).resize).toEqual({
    kind: 'short-side',
    side: 10,
  })
  expect(() => namedRecipe('facebook', { ...options, cropFraction: 0.8 })).toThrow(
    /facebook.*no crop fraction/,
  )
  expect(() => namedRecipe('timm', { ...options, cropFraction: 1.2 })).toThrow(RangeError)
})
