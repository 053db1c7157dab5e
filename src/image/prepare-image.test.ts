import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RgbImage } from './image.js'
import type { Preparation } from './preparation.js'
import { prepareImage, resizeAndCrop } from './prepare-image.js'
import { birderRecipe, namedRecipe, RECIPE_NAMES, type Recipe, type RecipeName } from './recipe.js'

const NEUTRAL = { mean: [0, 0, 0], std: [1, 1, 1] }
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }

const named = (name: RecipeName, options: { maxPatches?: number; size?: readonly [number, number] } = {}) =>
  namedRecipe(name, { modelSize: [56, 56], patchSize: 14, rgbStats: NEUTRAL, ...options })

function plain(height: number, width: number, level = 255): RgbImage {
  return { height, width, data: new Uint8Array(height * width * 3).fill(level) }
}

/** Red tells the row and green the column of every pixel. */
function coordinates(height: number, width: number): RgbImage {
  const pixels = Array.from({ length: height * width }, (_, i) => [Math.floor(i / width), i % width, 0])
  return { height, width, data: Uint8Array.from(pixels.flat()) }
}

const firstPixel = ({ data }: RgbImage) => Array.from(data.subarray(0, 2))

describe('sizes', () => {
  const inputSize = (recipe: Recipe, height: number, width: number) => {
    const prepared = prepareImage(plain(height, width), recipe)
    expect(prepared.pixels.length).toBe(3 * prepared.height * prepared.width)
    return [prepared.height, prepared.width] as const
  }

  test.each(RECIPE_NAMES.filter((name) => name !== 'native'))('%s gives one size for every image', (name) => {
    const recipe = named(name)
    for (const [height, width] of [
      [300, 400],
      [61, 17],
      [1, 1],
    ] as const)
      expect(inputSize(recipe, height, width)).toEqual(recipe.size)
  })

  test('native goes to the nearest multiple of the patch, half up, and at least one patch', () => {
    const recipe = named('native', { maxPatches: 1000 })
    expect(inputSize(recipe, 100, 150)).toEqual([98, 154])
    expect(inputSize(recipe, 105, 104)).toEqual([112, 98])
    expect(inputSize(recipe, 3, 500)).toEqual([14, 504])
  })

  test('native never makes more patches than allowed, whatever the shape', () => {
    const side = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 60, max: 3000 }))
    fc.assert(
      fc.property(side, side, fc.integer({ min: 1, max: 50 }), (height, width, maxPatches) => {
        fc.pre(height * width < 2e5)
        const recipe = named('native', { maxPatches })
        const [newHeight, newWidth] = inputSize(recipe, height, width)
        expect(newHeight % 14).toBe(0)
        expect(newWidth % 14).toBe(0)
        expect((newHeight / 14) * (newWidth / 14)).toBeLessThanOrEqual(maxPatches)
      }),
    )
  })

  test('a shape that keeping the aspect ratio would make enormous is refused with the recipe that takes it', () => {
    const strip = plain(1, 400_000)
    expect(() => prepareImage(strip, named('timm', { size: [518, 518] }))).toThrow(
      expect.objectContaining({ code: 'too-large', message: expect.stringContaining('birder') }),
    )
    expect(inputSize(named('birder'), 1, 400_000)).toEqual([56, 56])
  })

  test('so is one that the horizontal pass would make enormous, where the other one may not go first', () => {
    const mast = plain(600_000, 1)
    const size = [518, 518] as const
    expect(() => prepareImage(mast, birderRecipe(size, NEUTRAL, { passOrder: 'horizontal-first' }))).toThrow(
      expect.objectContaining({ code: 'too-large', message: expect.stringContaining('pillow-13') }),
    )
    expect(inputSize(birderRecipe(size, NEUTRAL), 600_000, 1)).toEqual([518, 518])
  })

  test('pixels that are not height x width x 3 are refused', () => {
    const withAlpha = { height: 2, width: 2, data: new Uint8Array(16) }
    expect(() => prepareImage(withAlpha, named('birder'))).toThrow(
      expect.objectContaining({ code: 'wrong-shape' }),
    )
  })
})

describe('crops', () => {
  // Short sides are as asked for, so that nothing is resized and the first pixel tells where the crop begins.
  const cropOf = (width: number, crop: number, cropRounding: Recipe['cropRounding']) => {
    const image = coordinates(crop, width)
    const recipe: Recipe = {
      ...named('timm', { size: [crop, crop] }),
      resize: { kind: 'short-side', side: crop },
      cropRounding,
    }
    return firstPixel(resizeAndCrop(image, recipe))[1]
  }

  test('odd margins: torchvision rounds half to even, Hugging Face down', () => {
    const margins = [0, 1, 2, 3, 4, 5, 6, 7]
    expect(margins.map((margin) => cropOf(10 + margin, 10, 'half-to-even'))).toEqual([0, 0, 1, 2, 2, 2, 3, 4])
    expect(margins.map((margin) => cropOf(10 + margin, 10, 'down'))).toEqual([0, 0, 1, 1, 2, 2, 3, 3])
  })

  test('an image smaller than the crop lies on black, with torchvision the odd row and column behind it', () => {
    const recipe: Recipe = { ...named('timm', { size: [5, 6] }), resize: { kind: 'squash', size: [2, 3] } }
    const { data, height, width } = resizeAndCrop(plain(2, 3), recipe)
    const rows = Array.from({ length: height }, (_, y) =>
      Array.from({ length: width }, (_, x) => (data[(y * width + x) * 3] === 255 ? '#' : '.')).join(''),
    )
    expect(rows).toEqual(['......', '.###..', '.###..', '......', '......'])
  })

  test('the two rules of a simple crop agree for squares and differ for rectangles', () => {
    const image = coordinates(40, 60)
    const crops = (size: readonly [number, number]) =>
      (['cover', 'short-side'] as const).map((simpleCropRule) =>
        Array.from(
          resizeAndCrop(image, birderRecipe(size, NEUTRAL, { simpleCrop: true, simpleCropRule })).data,
        ),
      )
    const [cover, shortSide] = crops([20, 20])
    expect(cover).toEqual(shortSide)
    const [coverWide, shortSideWide] = crops([20, 30])
    expect(coverWide).toEqual(shortSideWide)
    const [coverHigh, shortSideHigh] = crops([30, 20])
    expect(coverHigh).not.toEqual(shortSideHigh)
  })
})

describe('levels to numbers', () => {
  const levels: RgbImage = { height: 16, width: 16, data: Uint8Array.from({ length: 768 }, (_, i) => i / 3) }
  const red = (recipe: Recipe) =>
    prepareImage(levels, { ...recipe, rgbStats: NEUTRAL }).pixels.subarray(0, 256)

  test('Birder multiplies by 1/255 and the others divide, which half of the levels show', () => {
    const size = [16, 16] as const
    const birder = red(birderRecipe(size, NEUTRAL))
    const timm = red(named('timm', { size }))
    const step = Math.fround(1 / 255)
    expect(Array.from(birder)).toEqual(
      Array.from(
        levels.data.filter((_, i) => i % 3 === 0),
        (v) => Math.fround(v * step),
      ),
    )
    expect(timm.filter((value, i) => value !== birder[i])).toHaveLength(126)
  })

  test('colours are planes, each with its own mean and deviation', () => {
    const image: RgbImage = { height: 1, width: 2, data: Uint8Array.of(0, 51, 255, 255, 51, 0) }
    const { pixels } = prepareImage(image, birderRecipe([1, 2], IMAGENET))
    const expected = [
      (0 - 0.485) / 0.229,
      (1 - 0.485) / 0.229,
      -0.256 / 0.224,
      -0.256 / 0.224,
      2.64,
      -0.406 / 0.225,
    ]
    expected.forEach((value, i) => {
      expect(pixels[i]).toBeCloseTo(value, 5)
    })
  })

  test('the transparent colour becomes white with Hugging Face only, before the resize', () => {
    const image = { ...plain(4, 4, 10), transparentColour: [10, 10, 10] as const }
    const one = (name: RecipeName) => prepareImage(image, named(name)).pixels[0]
    expect(one('hugging-face')).toBe(1)
    expect(one('facebook')).toBeCloseTo(10 / 255, 6)
    expect(Array.from(image.data)).toEqual(new Array(48).fill(10))
  })
})

describe('places in the original', () => {
  test('the whole input is the whole image where nothing is cropped', () => {
    const { sourceBox, height, width } = prepareImage(plain(30, 90), named('birder'))
    expect(sourceBox(0, 0, height, width)).toEqual({ top: 0, left: 0, bottom: 30, right: 90 })
    expect(sourceBox(0, 0, 14, 14)).toEqual({ top: 0, left: 0, bottom: 7.5, right: 22.5 })
  })

  test('a crop is the middle of the image', () => {
    // The image goes from 100 x 200 to 64 x 128, of which the middle 56 x 56 is kept.
    const recipe = { ...named('timm'), resize: { kind: 'short-side', side: 64 } } as const
    const { sourceBox, imageSize } = prepareImage(plain(100, 200), recipe)
    expect(imageSize).toEqual([100, 200])
    expect(sourceBox(0, 0, 56, 56)).toEqual({ top: 6.25, left: 56.25, bottom: 93.75, right: 143.75 })
  })

  test('a spot of the image is found in the patch whose box holds it', () => {
    const inside = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }))
    fc.assert(
      fc.property(inside, fc.constantFrom(...RECIPE_NAMES), ([row, column], name) => {
        const recipe = named(name, { size: [56, 56], maxPatches: 16 })
        const dark = plain(112, 112, 0)
        const { top, left, bottom, right } = prepareImage(dark, recipe).sourceBox(
          row * 14,
          column * 14,
          row * 14 + 14,
          column * 14 + 14,
        )
        const centre = (Math.floor((top + bottom) / 2) * 112 + Math.floor((left + right) / 2)) * 3
        const { pixels } = prepareImage(
          { ...dark, data: dark.data.slice().fill(255, centre, centre + 3) },
          recipe,
        )
        const brightest = pixels
          .subarray(0, 56 * 56)
          .reduce((best, value, at) => (value > best.value ? { value, at } : best), { value: -1, at: 0 })
        expect([Math.floor(brightest.at / 56 / 14), Math.floor((brightest.at % 56) / 14)]).toEqual([
          row,
          column,
        ])
      }),
    )
  })
})

test('what was found and done about the orientation is passed on', () => {
  const image = { ...plain(2, 2), format: 'jpeg', orientation: 6, upright: true }
  expect(prepareImage(image, named('birder')).orientation).toEqual({ found: 6, applied: true })
  expect(prepareImage({ ...image, upright: false }, named('birder')).orientation).toEqual({
    found: 6,
    applied: false,
  })
})

describe('ways of transformers', () => {
  const followed = (preparation: Preparation, modelSize: readonly [number, number] = [2, 2]) =>
    namedRecipe('hugging-face', { modelSize, patchSize: 4, rgbStats: NEUTRAL, preparation })
  const how = { filter: 'bilinear', rescale: 'divide', transparency: 'white' } as const

  test('a resize of float32 keeps what one of bytes rounds away, and has no 8-bit stage', () => {
    const recipe = followed({ kind: 'edges', resize: [1, 1], crop: null, resampler: 'torch-float32', ...how })
    const image = { height: 1, width: 2, data: Uint8Array.of(10, 20, 30, 11, 21, 31) }
    const { pixels } = prepareImage(image, recipe)
    expect([...pixels].map((level) => level * 255)).toEqual(
      [10.5, 20.5, 30.5].map((level) => expect.closeTo(level, 4)),
    )
    expect(() => resizeAndCrop(image, recipe)).toThrow('no 8-bit stage')
  })

  test('an image gets as many patches as are allowed, with both sides rounded up, small ones too', () => {
    const recipe = followed({ kind: 'patches', maxPatches: 24, ...how })
    const gridOf = (height: number, width: number) => {
      const prepared = prepareImage(plain(height, width), recipe)
      return [prepared.height / 4, prepared.width / 4]
    }
    // These are the grids of transformers' own processor for pictures of these sizes.
    expect(gridOf(61, 47)).toEqual([6, 4])
    expect(gridOf(40, 96)).toEqual([3, 8])
    expect(gridOf(4, 4)).toEqual([4, 4])
    for (const [rows = 0, columns = 0] of [gridOf(500, 1), gridOf(1, 1)])
      expect(rows * columns).toBeLessThanOrEqual(24)
  })

  describe('multiples', () => {
    const depth = (more: object = {}) =>
      followed({
        kind: 'multiples',
        resize: { size: [518, 518], multiple: 14, keepRatio: true },
        divisor: 1,
        ...how,
        ...more,
      })
    const sizeOf = (recipe: Recipe, height: number, width: number) => {
      const prepared = prepareImage(plain(height, width), recipe)
      return [prepared.height, prepared.width]
    }

    test('both sides change by the ratio that changes them less, each to the nearest multiple', () => {
      // These are the sizes that transformers' own function gives.
      expect(sizeOf(depth(), 480, 640)).toEqual([518, 686])
      expect(sizeOf(depth(), 1080, 300)).toEqual([518, 140])
      const squashed = depth({ resize: { size: [100, 50], multiple: 14, keepRatio: false } })
      expect(sizeOf(squashed, 480, 640)).toEqual([98, 56])
      expect(sizeOf(depth(), 10, 4000)).toEqual([14, 518])
    })

    test('half a multiple goes to the even one, as Python rounds', () => {
      const side = (length: number) =>
        sizeOf(depth({ resize: { size: [length, length], multiple: 14, keepRatio: false } }), 5, 5)[0]
      expect([21, 35, 49, 7].map(side)).toEqual([28, 28, 56, 14])
    })

    test('zeros are put around what is normalised, the odd row and column behind, and places are counted from them', () => {
      const recipe = { ...depth({ resize: null, divisor: 4 }), rgbStats: IMAGENET }
      const prepared = prepareImage(plain(3, 5), recipe)
      expect([prepared.height, prepared.width]).toEqual([4, 8])
      const [first, second] = [prepared.pixels.subarray(0, 8), prepared.pixels.subarray(24, 32)]
      const white = expect.closeTo((1 - 0.485) / 0.229, 5)
      expect([...first]).toEqual([0, white, white, white, white, white, 0, 0])
      expect([...second]).toEqual(Array(8).fill(0))
      expect(prepared.sourceBox(0, 1, 3, 6)).toEqual({ top: 0, left: 0, bottom: 3, right: 5 })
    })

    test('another size stands for that of the file, and the ratio is kept as the file says', () => {
      const preparation = {
        kind: 'multiples',
        resize: { size: [518, 518], multiple: 14, keepRatio: true },
        divisor: 1,
        ...how,
      } as const
      const options = { modelSize: [518, 518], patchSize: 14, rgbStats: NEUTRAL, preparation } as const
      const recipe = namedRecipe('hugging-face', { ...options, size: [224, 224] })
      expect(sizeOf(recipe, 480, 640)).toEqual([224, 294])
    })
  })
})
