/**
 * Model input that is made of a JPEG in one go is compared with the long way, decoding it whole first; scaled decoding is compared with Pillow 13: its
 * `draft`, then a bicubic resize.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { openGoldens } from '../../../test/support/goldens.js'
import { normalised, prepareImage, shrinkFor } from '../../image/prepare-image.js'
import { namedRecipe, type Recipe, type RecipeOptions } from '../../image/recipe.js'
import { pillowPasses, portableResample, resamplePillow } from '../../kernels/resample-pillow.js'
import { decodeImage } from './decode-image.js'
import { nativeAvailability } from './native/index.js'
import { jpegDecoderOrReason, preparingWith } from './prepare-source.js'

const { root } = openGoldens()
const sources = join(root, 'preprocess/sources')
const { available } = nativeAvailability()
const levelsOf = preparingWith(portableResample, {})
const prepare = async (...given: Parameters<typeof levelsOf>) =>
  normalised(await levelsOf(...given), given[1])

/** Levels come out as they are: the mean is nothing, and the deviation takes back that they are divided by 255. */
const PLAIN = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] }
const recipeOf = (size: readonly [number, number], options: Partial<RecipeOptions> = {}): Recipe =>
  namedRecipe('birder', { modelSize: size, patchSize: 14, rgbStats: PLAIN, ...options })

/** Draws what has edges, slopes and noise in each colour. */
function drawn(height: number, width: number): Buffer {
  const levels = Buffer.alloc(height * width * 3)
  for (let i = 0; i < levels.length; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)]
    const noise = (Math.imul(i, 0x9e3779b1) >>> 27) - 16
    levels[i] = Math.max(0, Math.min(255, (((x * (1 + (i % 3))) ^ (y >> 1)) % 256) & 0xf0) + noise)
  }
  return levels
}

async function jpegOf(height: number, width: number, options: object, orientation = 1): Promise<Buffer> {
  const image = sharp(drawn(height, width), { raw: { height, width, channels: 3 } })
  return image
    .withMetadata({ orientation })
    .jpeg({ quality: 88, ...options })
    .toBuffer()
}

async function wholeWay(file: Uint8Array, recipe: Recipe) {
  return prepareImage(await decodeImage(file, { orientation: recipe.orientation }), recipe)
}

/** Is a photo of 128 x 96 pixels that Pillow has written. */
const HAT = Buffer.from(
  [
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACAWGBwYFCAcGhwkIiAmMFA0MCwsMGJGSjpQdGZ6eHJmcG6AkLicgIiuim5woNqirr7E',
    'ztDOfJri8uDI8LjKzsb/2wBDASIkJDAqMF40NF7GhHCExsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbG',
    'xsbGxsbGxsb/wAARCACAAGADASIAAhEBAxEB/8QAGgAAAQUBAAAAAAAAAAAAAAAAAgABAwUGBP/EADMQAAEDAQYEBAQGAwAAAAAA',
    'AAEAAhEDBAUSITFRQWFxkRMUIlIVMlOxI2JygaHRQkPh/8QAFgEBAQEAAAAAAAAAAAAAAAAAAAEC/8QAFxEBAQEBAAAAAAAAAAAA',
    'AAAAAAESEf/aAAwDAQACEQMRAD8AnF3vIyqNjokbvf7x2VgGFmmY2Rws8jWqq/h7/qDskbA/6g7KzwhLCEzDVVvw9xGVQdk3kH/U',
    'HZWWEbpi3mmYaquFgdoag7JCwEf7B2VjhG6bCPcmYaqv8gONQ9k/kG/UK7sI9wQlg9wTkNVxiwsGrnJ/J0hwJ6ldRZ+ZMWEcQnIn',
    'amLRslhGyIDJKVUMQOIQwNYEBcVsvJlncWMGN412Cp69rrWhx8R5I24Iq+q22yU/mqMJ2bmofitjnV0fpVBOaR1VGjpXhZKmTagb',
    '+oQuhpY8S0tcNxmsp1RU6r6bsVNxadwVBqoEaBCQNh2VXZL3JIZaQP1AfdWgIc0FpBB0IQNA2HZCWjYdkaRQS5lcN52vy9PAw/iO',
    'HYLtq1G0aLqj9GiVmLTWdXrOe86lERHMymTgE6I8Ibqc9gqI4OyZwIGKMt0TuSHCHGIQCDIlOnEHXJM4YSgSsbtvDwD4VYzTOh9q',
    'rZSlBrcnNDmmQeKchU9020tZ4T82jTkrmZaoquv2qWsp0gYB9RVKrS/AfNNnTAIVYFUETAAB6odOqICGzvomaBqdPugQaDmf2CjZ',
    '8ynJxOgaKFo9f7lAMGJRtcCIdp9kLTGSQCBnNwnlwKEoycoKjOWSCazOLKrSNDkVpLE/HQji3JZmlk5aK7c2PPMKKhv1udJ+4IVP',
    'Ga0d60PGsTo+ZnqCzbjnCqCHrOwUmDE0gcELBl1UzTAhADAGtz1lQ4QK8HL1EfyFLVdwQOyrz+b+kEMZkJA5JVD6j1QEoHJlMcwl',
    'KSAqObgFprsZFlxe4rO2RhfVgCTMBamlT8Kk1g4CFB0QC3MZFZm32J9lruME0yZa5aUH0hBXpivRfSOjhE7KjKTCMPMIXtdTqupV',
    'Ww9pgoSCNEDlxLs0LzNSeacHPNA/UlANU+sxugTu+Y9UtdEDImNc9wa0SSYCaBxzVtclkNSr5l49DMm8yg67su8WcCpU+fgNlY8E',
    'skxMAqCXJKUklRX3ndwtY8SnlWb/ACqhg8N5ZXbgI30WoUNaz0q4iowE78UFFUs1JzZbl0K4qtHD/krupc41o1cPI5fb+lyvum1O',
    '0e0jm7/iCoIjmmJlWzbiqk/iVmN6SV2We57PROJwNYj3adkFTd93VLW8OILaI1dv0Wlp02UqbabBha0QAiAAEAQAlOyBjkuW2Wnw',
    'mwNSul5hpJVLaqniVTsFBfSUuqZOFQp2CRk8k6SBgEwbI1RZpogoBLcKQMhHqhiEA9UidkSUIOC31ixmEHMqrJldN5VJrxsuLEsr',
    'H//Z',
  ].join(''),
  'base64',
)

describe.skipIf(!available)('JPEG in one go', () => {
  test('is decoded by the addon here, so that the comparisons below compare two ways', async () => {
    const decode = await jpegDecoderOrReason()
    if (typeof decode === 'string') throw new Error(decode)
    const file = await jpegOf(40, 64, {})
    const passes = pillowPasses([40, 64], [14, 28], 'pillow-13')
    const resized = await decode({ file, shrink: 1, size: [40, 64], passes })
    const { data } = await decodeImage(file)
    expect(resized).toEqual(resamplePillow(data, [40, 64], [14, 28]))
    expect(await decode({ file, shrink: 1, size: [40, 64], passes: null })).toEqual(new Uint8Array(data))
    // An image of other sides than its header says, and what is no JPEG, are left to the other way.
    expect(await decode({ file, shrink: 1, size: [41, 64], passes: null })).toBeNull()
    expect(await decode({ file: file.subarray(1), shrink: 1, size: [40, 64], passes: null })).toBeNull()
  })

  test.each([
    [37, 53, { chromaSubsampling: '4:2:0' }, 1],
    [301, 203, { chromaSubsampling: '4:2:0' }, 1],
    [200, 333, { chromaSubsampling: '4:4:4' }, 1],
    [129, 257, { progressive: true }, 1],
    [16, 16, {}, 1],
    [40, 14, {}, 1],
    [400, 31, {}, 1],
    [75, 121, {}, 2],
    [75, 121, {}, 3],
    [121, 75, {}, 4],
    [75, 121, {}, 5],
    [75, 121, {}, 6],
    [121, 75, {}, 7],
    [75, 121, {}, 8],
    [310, 40, {}, 6],
    [40, 310, {}, 8],
    [14, 56, {}, 3],
    [28, 90, {}, 6],
  ])(
    'gives the numbers of the long way: %d x %d, %o, orientation %d',
    async (height, width, options, turn) => {
      const file = await jpegOf(height, width, options, turn)
      const [upright, lying] = [recipeOf([14, 28]), recipeOf([56, 14], { orientation: 'ignore' })]
      for (const recipe of [upright, lying, recipeOf([14, 28], { passOrder: 'horizontal-first' })]) {
        const { pixels, ...about } = await prepare(file, recipe, { orientation: recipe.orientation })
        const { pixels: expected, ...aboutExpected } = await wholeWay(file, recipe)
        expect(pixels).toEqual(expected)
        expect(JSON.stringify(about)).toBe(JSON.stringify(aboutExpected))
      }
    },
  )

  test('and so for grey levels and CMYK', async () => {
    const grey = await sharp(drawn(90, 120), { raw: { height: 90, width: 120, channels: 3 } })
      .toColourspace('b-w')
      .jpeg()
      .toBuffer()
    for (const file of [grey, await readFile(join(sources, 'cmyk-64x64.jpg'))]) {
      const { pixels } = await prepare(file, recipeOf([14, 28]), {})
      expect(pixels).toEqual((await wholeWay(file, recipeOf([14, 28]))).pixels)
    }
  })

  test('a header that tells no height fails with the words that it always had', async () => {
    const file = new Uint8Array(await jpegOf(40, 64, {}))
    const frame = file.findIndex((byte, i) => byte === 0xff && (file[i + 1] === 0xc0 || file[i + 1] === 0xc2))
    file.fill(0, frame + 5, frame + 7)
    const reason = await decodeImage(file).catch((error: Error) => error)
    expect(reason).toMatchObject({ name: 'ImageError' })
    await expect(prepare(file, recipeOf([14, 14]), {})).rejects.toEqual(reason)
  })

  test('a file that is cut off fails with the words that it always had', async () => {
    const file = await jpegOf(301, 203, {})
    const cut = file.subarray(0, file.length / 2)
    const reason = await decodeImage(cut).catch((error: Error) => error)
    await expect(prepare(cut, recipeOf([14, 14]), {})).rejects.toEqual(reason)
    expect(reason).toMatchObject({ code: 'truncated' })
  })
})

describe.skipIf(!available)('decoding scaled', () => {
  const scaled = (size: readonly [number, number]) => recipeOf(size, { decode: 'scaled' })

  test.each([
    [[28, 21], 2, '948eb61d07e0773a'],
    [[15, 11], 4, 'ed296668afdeab52'],
    [[8, 6], 8, '2756ad3bb2b9d845'],
  ] as const)('to %j gives Pillow’s levels, at one %d-th', async (size, shrink, sha256) => {
    expect(shrinkFor({ height: 128, width: 96 }, scaled(size))).toBe(shrink)
    const image = await prepare(HAT, scaled(size), {})
    expect(image.imageSize).toEqual([128, 96])
    const plane = size[0] * size[1]
    const levels = Uint8Array.from({ length: 3 * plane }, (_, i) =>
      Math.round(image.pixels[(i % 3) * plane + Math.floor(i / 3)] ?? Number.NaN),
    )
    expect(createHash('sha256').update(levels).digest('hex').slice(0, 16)).toBe(sha256)
  })

  test('a photo that lies is turned after it, and stays near the whole one', async () => {
    const photo = sharp(fileURLToPath(new URL('../../../examples/photos/hat-1.jpg', import.meta.url)))
    const file = await photo.withMetadata({ orientation: 6 }).jpeg().toBuffer()
    const [small, whole] = await Promise.all([
      prepare(file, scaled([28, 42]), {}),
      wholeWay(file, recipeOf([28, 42])),
    ])
    // Neither side is a multiple of the shrinking: the last pixels that are whole make the image.
    expect(small.imageSize).toEqual(whole.imageSize)
    expect(small.orientation).toEqual(whole.orientation)
    const differences = small.pixels.map((level, i) => Math.abs(level - (whole.pixels[i] ?? Number.NaN)))
    const mean = differences.reduce((sum, one) => sum + one, 0) / differences.length
    expect(mean).toBeGreaterThan(0)
    expect(mean).toBeLessThan(4)
  })

  test('PNG, and a JPEG that is hardly larger than its input, are decoded whole', async () => {
    const png = await sharp(drawn(90, 120), { raw: { height: 90, width: 120, channels: 3 } })
      .png()
      .toBuffer()
    const [small, large] = [[6, 6] as const, [28, 42] as const]
    expect((await prepare(png, scaled(small), {})).pixels).toEqual(
      (await wholeWay(png, recipeOf(small))).pixels,
    )
    const jpeg = await jpegOf(90, 120, {})
    expect((await prepare(jpeg, scaled(large), {})).pixels).toEqual(
      (await wholeWay(jpeg, recipeOf(large))).pixels,
    )
  })

  test('is part of a recipe’s name, and of nobody’s that does not ask for it', async () => {
    const { recipeIdentity } = await import('../../image/recipe.js')
    expect(recipeIdentity(scaled([14, 14]))).toBe(`${recipeIdentity(recipeOf([14, 14]))} decoded-scaled`)
  })
})
