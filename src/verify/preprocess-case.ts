/**
 * Compares preprocessing level by level: what Pillow decodes, and what each library's recipe makes of it. PNG must be equal to the bit. JPEG decoders may differ by a
 * level, so resizing is checked from Pillow's own pixels, and decoding against them.
 */
import type { DecodedImage } from '../image/image.js'
import { ImageError } from '../image/image-error.js'
import { prepareImage, resizeAndCropWith } from '../image/prepare-image.js'
import { largestDifference } from '../numerics/largest-difference.js'
import {
  type Comparison,
  type GoldenCase,
  type GoldenContext,
  type GoldenFile,
  readExpected,
  required,
} from './case.js'
import { comparison } from './judge.js'
import { type GoldenRecipe, recipeOrNull } from './preprocess-recipes.js'

interface Result extends GoldenRecipe {
  readonly name: string
  readonly sha256: string
  readonly sha256_horizontal_first?: string
}

interface PreprocessCase extends GoldenCase {
  readonly source?: GoldenFile
  readonly results?: readonly Result[]
  readonly decoded?: { readonly sha256: string; readonly file?: GoldenFile }
  /** Holds results of the image turned as its EXIF orientation says. */
  readonly upright?: { readonly results?: readonly Result[] }
}

/** libjpeg-turbo's versions differ in how they upsample and round: a level is not an error. */
const JPEG_TOLERANCE = 1

export async function* runPreprocessCase(
  golden: PreprocessCase,
  context: GoldenContext,
): AsyncGenerator<Comparison, void, undefined> {
  const { path } = required(golden.source, 'source', golden)
  const decoded = required(golden.decoded, 'decoded', golden)
  const own = await context.decode(path, { orientation: 'ignore' })
  const pillow = decoded.file === undefined ? own : ((await decodeOrNull(decoded.file.path, context)) ?? own)
  const errorOf = ({ data }: DecodedImage) => hashError(context.sha256(data), decoded.sha256)

  const jpeg = /\.jpe?g$/.test(path)
  yield jpeg
    ? inLevels(golden, 'decoded', largestDifference(own.data, pillow.data), JPEG_TOLERANCE)
    : inLevels(golden, 'decoded', errorOf(own))
  yield inLevels(golden, 'decoded by Pillow', errorOf(pillow))
  const results = required(golden.results, 'results', golden)
  yield* runResults(golden, context, results, jpeg ? pillow : own, '')

  // The turned image is compared by way of its own JPEG decode, which is Pillow's where the first comparison was exact.
  if (golden.upright !== undefined && errorOf(own) === 0) {
    const turnedResults = required(golden.upright.results, 'upright.results', golden)
    yield* runResults(golden, context, turnedResults, await context.decode(path), 'upright ')
  }
  if (golden.expected !== undefined) yield* runNormalised(golden, context, results, pillow)
}

/** The committed part of the goldens leaves most of Pillow's decodes out: where ours has the same hash, it is the same image. */
async function decodeOrNull(path: string, { decode }: GoldenContext): Promise<DecodedImage | null> {
  try {
    return await decode(path)
  } catch (error) {
    if (error instanceof ImageError && error.code === 'not-found') return null
    throw error
  }
}

async function* runResults(
  golden: GoldenCase,
  { resamplers, sha256 }: GoldenContext,
  results: readonly Result[],
  image: DecodedImage,
  prefix: string,
): AsyncGenerator<Comparison, void, undefined> {
  for (const result of results) {
    for (const [order, expected] of [
      ['pillow-13', result.sha256],
      ['horizontal-first', result.sha256_horizontal_first],
    ] as const) {
      const recipe = expected === undefined ? null : recipeOrNull(result, order, golden)
      if (recipe === null || expected === undefined) continue
      for (const [resampler, resample] of resamplers()) {
        const { data } = await resizeAndCropWith(resample, image, recipe)
        const error = hashError(sha256(data), expected)
        yield inLevels(golden, `${prefix}${result.name} ${order} ${resampler}`, error)
      }
    }
  }
}

async function* runNormalised(
  golden: GoldenCase,
  { open }: GoldenContext,
  results: readonly Result[],
  image: DecodedImage,
): AsyncGenerator<Comparison, void, undefined> {
  for (const [tensor, expected] of await readExpected(golden, open)) {
    if (!tensor.startsWith('normalised/')) continue
    const found = results.find(({ name }) => tensor === `normalised/${name}`)
    const result = required(found, `result for the tensor ${tensor}`, golden)
    const recipe = required(
      recipeOrNull(result, 'pillow-13', golden) ?? undefined,
      `recipe of ${tensor}`,
      golden,
    )
    yield inLevels(golden, tensor, largestDifference(prepareImage(image, recipe).pixels, expected))
  }
}

function hashError(actual: string, expected: string): number {
  return actual === expected ? 0 : Number.POSITIVE_INFINITY
}

function inLevels(golden: GoldenCase, tensor: string, error: number, tolerance = 0): Comparison {
  return comparison(golden, tensor, error, tolerance, 'levels of 255')
}
