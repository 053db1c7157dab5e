/**
 * Preprocessing, level by level: what Pillow decodes, and what each library's recipe makes of it. PNG must be equal to the bit. JPEG decoders may differ by a
 * level, so resizing is checked from Pillow's own pixels, and decoding against them.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DecodedImage, RgbImage } from '../../../image/image.js'
import { type PreparedImage, prepareImage, resizeAndCropWith } from '../../../image/prepare-image.js'
import { birderRecipe, namedRecipe, type PassOrder, type Recipe } from '../../../image/recipe.js'
import { portableResample, type Resample } from '../../../kernels/resample-pillow.js'
import { IMAGENET_STATS } from '../../../model/vit-config.js'
import { type Comparison, type GoldenCase, largestDifference, readTensors } from '../../../verify/case.js'
import { decodeImage } from '../decode-image.js'
import { createNativeResample, nativeAvailability } from '../native/index.js'
import { openFile } from '../open-file.js'
import type { FolderContext } from './folder-context.js'

/** All that resize here, by name. */
const RESAMPLERS: readonly (readonly [string, Resample])[] = [
  ['portable', portableResample],
  ...nativeAvailability().instructionSets.map((set) => [set, createNativeResample(set)] as const),
]

interface Result {
  readonly recipe: string
  readonly name: string
  readonly size?: readonly [number, number] | number
  readonly center_crop?: number
  readonly simple_crop?: boolean
  readonly shortest_edge?: number
  readonly crop?: number
  readonly crop_pct?: number
  readonly dtype?: string
  readonly sha256: string
  readonly sha256_horizontal_first?: string
}

interface Decoded {
  readonly sha256: string
  readonly file?: { readonly path: string }
  readonly results?: readonly Result[]
}

/** libjpeg-turbo's versions differ in how they upsample and round: a level is not an error. */
const JPEG_TOLERANCE = 1

export async function* runPreprocessCase(
  golden: GoldenCase,
  { root }: FolderContext,
): AsyncGenerator<Comparison, void, undefined> {
  const { path } = golden.source as { path: string }
  const decoded = golden.decoded as Decoded
  const source = join(root, path)
  const own = await decodeImage(source, { orientation: 'ignore' })
  const pillowPath = decoded.file === undefined ? undefined : join(root, decoded.file.path)
  const pillow = pillowPath !== undefined && existsSync(pillowPath) ? await decodeImage(pillowPath) : own

  const jpeg = /\.jpe?g$/.test(path)
  if (jpeg) {
    const error = largestDifference(Float32Array.from(own.data), Float32Array.from(pillow.data))
    yield verdict(golden, 'decoded', error, JPEG_TOLERANCE)
  } else {
    yield verdict(golden, 'decoded', sha256(own) === decoded.sha256 ? 0 : Number.POSITIVE_INFINITY, 0)
  }
  yield verdict(
    golden,
    'decoded by Pillow',
    sha256(pillow) === decoded.sha256 ? 0 : Number.POSITIVE_INFINITY,
    0,
  )
  yield* runResults(golden, golden.results as readonly Result[], jpeg ? pillow : own, '')

  const upright = golden.upright as Decoded | undefined
  if (upright !== undefined) {
    const turned = await decodeImage(source)
    // The turned image is compared by way of its own JPEG decode, which is Pillow's where the first comparison was exact.
    if (sha256(own) === decoded.sha256) yield* runResults(golden, upright.results ?? [], turned, 'upright ')
  }
  if (golden.expected !== undefined) yield* runNormalised(golden, root, pillow)
}

async function* runResults(
  golden: GoldenCase,
  results: readonly Result[],
  image: DecodedImage,
  prefix: string,
): AsyncGenerator<Comparison, void, undefined> {
  for (const result of results) {
    for (const [order, expected] of [
      ['pillow-13', result.sha256],
      ['horizontal-first', result.sha256_horizontal_first],
    ] as const) {
      const recipe = expected === undefined ? null : recipeOf(result, order)
      if (recipe === null) continue
      for (const [resampler, resample] of RESAMPLERS) {
        const { data } = await resizeAndCropWith(resample, image, recipe)
        const error = sha256({ data }) === expected ? 0 : Number.POSITIVE_INFINITY
        yield verdict(golden, `${prefix}${result.name} ${order} ${resampler}`, error, 0)
      }
    }
  }
}

async function* runNormalised(
  golden: GoldenCase,
  root: string,
  image: DecodedImage,
): AsyncGenerator<Comparison, void, undefined> {
  const tensors = await readTensors(await openFile(join(root, golden.expected?.path ?? '')))
  for (const [tensor, expected] of tensors) {
    if (!tensor.startsWith('normalised/')) continue
    const result = (golden.results as readonly Result[]).find(({ name }) => tensor === `normalised/${name}`)
    const recipe = result === undefined ? null : recipeOf(result, 'pillow-13')
    const actual: PreparedImage | undefined = recipe === null ? undefined : prepareImage(image, recipe)
    const error = actual === undefined ? Number.POSITIVE_INFINITY : largestDifference(actual.pixels, expected)
    yield verdict(golden, tensor, error, 0)
  }
}

/** Null for 16-bit tensors, which torchvision's loader makes of 16-bit files: everything here is 8-bit. */
function recipeOf(result: Result, passOrder: PassOrder): Recipe | null {
  const rgbStats = IMAGENET_STATS
  const square = (side: number) => [side, side] as const
  switch (result.recipe) {
    case 'birder':
      return birderRecipe(result.size as readonly [number, number], rgbStats, {
        centerCrop: result.center_crop ?? 1,
        simpleCrop: result.simple_crop ?? false,
        simpleCropRule: 'short-side',
        passOrder,
      })
    case 'birder-tv':
      return result.dtype === undefined
        ? birderRecipe(result.size as readonly [number, number], rgbStats, { resampler: 'torch-uint8' })
        : null
    case 'hugging-face-torchvision':
    case 'hugging-face-pil': {
      const preprocessorFile = {
        size: { shortest_edge: result.shortest_edge },
        crop_size: { height: result.crop },
      }
      return namedRecipe('hugging-face', {
        modelSize: square(224),
        patchSize: 14,
        rgbStats,
        passOrder,
        resampler: result.recipe === 'hugging-face-torchvision' ? 'torch-uint8' : 'pillow',
        preprocessorFile,
      })
    }
    case 'facebook':
      return {
        ...namedRecipe('facebook', { modelSize: square(224), patchSize: 14, rgbStats, passOrder }),
        resize: { kind: 'short-side', side: result.shortest_edge ?? 0 },
        size: square(result.crop ?? 0),
      }
    case 'timm': {
      const side = result.size as number
      return namedRecipe('timm', {
        modelSize: square(side),
        patchSize: 14,
        rgbStats,
        passOrder,
        cropFraction: result.crop_pct ?? 1,
      })
    }
    default:
      return null
  }
}

function verdict({ id, kind }: GoldenCase, tensor: string, error: number, tolerance: number): Comparison {
  return { id, kind, tensor, error, tolerance, passed: error <= tolerance, note: 'levels of 255' }
}

function sha256({ data }: Pick<RgbImage, 'data'>): string {
  return createHash('sha256').update(data).digest('hex')
}
