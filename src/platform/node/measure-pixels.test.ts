/** What is measured by the kernels, on the way to an encoder or in memory, is held against the slow truth: the upright pixels, digested and reduced in plain code. */
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { createNativeMeasureOn, roomForMeasures } from '../../engine/native/native-measure.js'
import { namedRecipe, type RecipeOptions } from '../../image/recipe.js'
import { turnUpright } from '../../image/turn-upright.js'
import { digestWords } from '../../kernels/digest-words.js'
import { portableResample } from '../../kernels/resample-pillow.js'
import { MEASURED_LONGEST } from '../../numerics/photo-quality.js'
import { averagedSide, averageSquares, type RgbPixels, reducePixels } from '../../numerics/reduce-pixels.js'
import { decodeImage } from './decode-image.js'
import { inspectFile } from './inspect-file.js'
import { fastestMeasure, type MeasuredPixels } from './measure-pixels.js'
import { nativeAvailability } from './native/index.js'
import { addonOrReason } from './native/load-addon.js'
import { digestOfPixels, digestOfStates } from './pixel-digest.js'
import { preparingWith } from './prepare-source.js'
import { watchedOrNull, watchesFiles } from './watched-file.js'

const { available } = nativeAvailability()
const slow = async (values: Float32Array) => digestWords(values)
const prepare = preparingWith(portableResample, {})
const encoder = watchesFiles({})

function drawn(height: number, width: number, seed = 1): Uint8Array {
  return Uint8Array.from(
    { length: height * width * 3 },
    (_, i) => (Math.imul(i + seed, 0x9e3779b1) >>> 25) + (((i / 3) % width) >> 2),
  )
}

async function truthOf({ height, width, data }: RgbPixels): Promise<MeasuredPixels> {
  const image = { height, width, data }
  return {
    height,
    width,
    digest: await digestOfPixels(image, slow),
    reduced: reducePixels(image, MEASURED_LONGEST),
  }
}

const fileOf = async (height: number, width: number, orientation: number, options: object) =>
  await sharp(drawn(height, width), { raw: { height, width, channels: 3 } })
    .withMetadata({ orientation })
    .jpeg({ quality: 90, ...options })
    .toBuffer()

async function measuredOnTheWay(
  bytes: Uint8Array,
  options: Partial<RecipeOptions>,
  orientation: number | null = null,
) {
  const file = inspectFile(bytes, 'a photo', { maxPixels: 1e8, transparency: 'drop' })
  const told: MeasuredPixels[] = []
  const pixels = watchedOrNull(encoder, { bytes, label: 'a photo', file }, orientation, (measured) => {
    told.push(measured)
  })
  if (pixels === null) throw new Error('this encoder watches')
  const recipe = namedRecipe('birder', {
    modelSize: [14, 28],
    patchSize: 14,
    rgbStats: { mean: [0, 0, 0], std: [1, 1, 1] },
    ...options,
  })
  const levels = await prepare(() => pixels, recipe, { orientation: recipe.orientation })
  expect(told).toHaveLength(1)
  return { measured: told[0], levels, recipe }
}

test('an encoder that was not said to watch is given no file', () => {
  const file = inspectFile(
    Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/q842iQAAAABJRU5ErkJggg==',
      'base64',
    ),
    'a dot',
    { maxPixels: 10, transparency: 'drop' },
  )
  const image = { bytes: new Uint8Array(), label: 'a dot', file }
  expect(watchedOrNull({}, image, null, () => {})).toBeNull()
})

describe.each([
  ['upright', 301, 203, 1, {}],
  ['more than a block of the digest, and squares of two', 1100, 330, 1, {}],
  ['squares of three, which do not fill it', 1543, 40, 1, {}],
  ['lying', 330, 1040, 6, {}],
  ['mirrored', 37, 1037, 2, {}],
  ['on its head', 33, 1029, 3, {}],
  ['transposed', 1027, 51, 5, {}],
  ['mirrored and lying', 1027, 51, 7, {}],
  ['lying on the other side', 35, 41, 8, {}],
  ['upside down', 35, 41, 4, {}],
  ['a pixel', 1, 1, 1, {}],
  ['a strip without any square', 1600, 2, 1, {}],
  ['progressive', 129, 257, 1, { progressive: true }],
] as const)('a photo: %s', (_, height, width, orientation, options) => {
  test.each([
    ['turned by its recipe', {}],
    ['taken as it lies', { orientation: 'ignore' }],
    ['decoded smaller', { decode: 'scaled' }],
  ] as const)('is measured as it is upright, %s', async (_, choice) => {
    const bytes = await fileOf(height, width, orientation, options)
    const { measured, levels, recipe } = await measuredOnTheWay(bytes, choice)
    expect(measured).toEqual(await truthOf(await decodeImage(bytes)))
    // What the encoder gets is what it gets of a file that nobody watches.
    expect(levels).toEqual(await prepare(bytes, recipe, { orientation: recipe.orientation }))
  })
})

test('what is told of how a photo lies goes before what its file says', async () => {
  const bytes = await fileOf(40, 64, 1, {})
  const { measured, levels } = await measuredOnTheWay(bytes, {}, 6)
  const lies = await decodeImage(bytes)
  expect(measured).toEqual(await truthOf(turnUpright(lies, 6)))
  expect(levels.imageSize).toEqual([64, 40])
})

test('what is no JPEG of the usual kind is measured where it is decoded whole', async () => {
  const raw = { raw: { height: 600, width: 35, channels: 3 as const } }
  for (const bytes of [
    await sharp(drawn(600, 35), raw).png().toBuffer(),
    await sharp(drawn(600, 35), raw).toColourspace('cmyk').jpeg().toBuffer(),
  ]) {
    const { measured } = await measuredOnTheWay(bytes, {})
    expect(measured).toEqual(await truthOf(await decodeImage(bytes)))
  }
})

test('an image in memory is measured as it is upright', async () => {
  const measure = fastestMeasure()
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const lies = { height: 530, width: 43, data: drawn(530, 43, orientation) }
    const image = { ...lies, orientation, upright: false, format: 'jpeg' as const }
    expect(await measure(image)).toEqual(await truthOf(turnUpright(lies, orientation)))
    expect(await measure({ ...image, upright: true })).toEqual(await truthOf(lies))
  }
})

test.skipIf(!available)(
  'the kernels digest and average images of any sides, by squares of any side',
  async () => {
    const addon = addonOrReason()
    if (typeof addon === 'string') throw new Error(addon)
    const measure = createNativeMeasureOn(addon)
    const side = fc.integer({ min: 1, max: 70 })
    await fc.assert(
      fc.asyncProperty(
        side,
        side,
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        async (height, width, factor, seed) => {
          fc.pre(Math.min(height, width) >= factor)
          const image = { height, width, data: drawn(height, width, seed) }
          const room = roomForMeasures(image, 1, factor)
          if (room === null) throw new Error('there is room')
          await measure(image.data, room)
          expect(digestOfStates(image, room.states, room.rest)).toBe(await digestOfPixels(image, slow))
          expect(room.averages).toEqual(averageSquares(image, factor).data)
        },
      ),
      { numRuns: 60 },
    )
    // White is the largest sum there is, in the largest squares.
    const white = { height: 256, width: 513, data: new Uint8Array(256 * 513 * 3).fill(255) }
    const room = roomForMeasures(white, 1, 256)
    if (room === null) throw new Error('there is room')
    await measure(white.data, room)
    expect(room.averages).toEqual(averageSquares(white, 256).data)
    expect(roomForMeasures(white, 1, 257)).toBeNull()
    expect(averagedSide({ height: 3000, width: 4000 }, 512)).toBe(7)
  },
)
