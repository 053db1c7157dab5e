import { describe, expect, test } from 'vitest'
import { DINOV2_EVALUATION, type Preparation } from './preparation.js'
import { birderRecipe, namedRecipe, RECIPE_NAMES, type RecipeOptions, recipeIdentity } from './recipe.js'

const rgbStats = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
const options: RecipeOptions = { modelSize: [518, 518], patchSize: 14, rgbStats }

test.each([
  ['birder', 'birder 518x518 exif-applied pillow-13'],
  ['birder-simple-crop', 'birder-simple-crop 518x518 exif-applied pillow-13'],
  ['hugging-face', 'hugging-face 256 crop 224x224 exif-applied on-white pillow-13'],
  ['facebook', 'facebook 256 crop 224x224 exif-applied pillow-13'],
  ['timm', 'timm 518 crop 518x518 exif-applied pillow-13'],
  ['native', 'native patch 14 max 5476 exif-applied pillow-13'],
] as const)('%s is called "%s"', (name, identity) => {
  expect(recipeIdentity(namedRecipe(name, options))).toBe(identity)
})

test('whatever changes the pixels changes the identity', () => {
  const size = [224, 224] as const
  const identities = [
    birderRecipe(size, rgbStats),
    birderRecipe([224, 336], rgbStats),
    birderRecipe(size, rgbStats, { centerCrop: 0.875 }),
    birderRecipe(size, rgbStats, { simpleCrop: true }),
    birderRecipe(size, rgbStats, { simpleCrop: true, centerCrop: 0.875 }),
    birderRecipe(size, rgbStats, { simpleCrop: true, simpleCropRule: 'short-side' }),
    birderRecipe(size, rgbStats, { orientation: 'apply' }),
    birderRecipe(size, rgbStats, { passOrder: 'horizontal-first' }),
    birderRecipe(size, rgbStats, { resampler: 'torch-uint8' }),
    namedRecipe('hugging-face', {
      ...options,
      preparation: { ...DINOV2_EVALUATION, resampler: 'torch-float32' },
    }),
    namedRecipe('hugging-face', {
      ...options,
      preparation: {
        kind: 'patches',
        maxPatches: 256,
        filter: 'bicubic',
        rescale: 'divide',
        transparency: 'white',
      },
    }),
    namedRecipe('timm', { ...options, size, cropFraction: 0.875 }),
    namedRecipe('native', { ...options, maxPatches: 100 }),
    ...RECIPE_NAMES.map((name) => namedRecipe(name, options)),
  ].map(recipeIdentity)
  expect(new Set(identities).size).toBe(identities.length)
})

describe('sizes before the crop', () => {
  test("Birder's are cut to whole pixels: 224 / 0.875 = 256, 518 / 0.9 = 575", () => {
    const resizeOf = (side: number, centerCrop: number) =>
      birderRecipe([side, side], rgbStats, { centerCrop }).resize
    expect(resizeOf(224, 0.875)).toEqual({ kind: 'squash', size: [256, 256] })
    expect(resizeOf(518, 0.9)).toEqual({ kind: 'squash', size: [575, 575] })
  })

  test('another input size scales the edge of an evaluation along: 448 is cropped from 512', () => {
    for (const name of ['facebook', 'hugging-face'] as const) {
      expect(namedRecipe(name, { ...options, size: [448, 448] })).toMatchObject({
        size: [448, 448],
        resize: { kind: 'short-side', side: 512 },
      })
    }
  })

  test("Hugging Face's are those of the model's own file", () => {
    const preparation: Preparation = { ...DINOV2_EVALUATION, resize: 128, crop: [112, 112] }
    expect(namedRecipe('hugging-face', { ...options, preparation })).toMatchObject({
      size: [112, 112],
      resize: { kind: 'short-side', side: 128 },
      cropRounding: 'down',
    })
  })
})

test('Birder leaves the orientation alone and the recipe by name applies it: photos should be seen as they were taken', () => {
  expect(birderRecipe([224, 224], rgbStats).orientation).toBe('ignore')
  expect(namedRecipe('birder', options).orientation).toBe('apply')
})

test.each([0, -0.5, 1.5, Number.NaN])('a centre crop of %d is refused', (centerCrop) => {
  expect(() => birderRecipe([224, 224], rgbStats, { centerCrop })).toThrow(RangeError)
})
