/** Shows where patches differ most: Birder's FeaturePCA (introspection/feature_pca.py), whose colours are the first three principal components of an image's patches. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import type { RgbImage } from '../../image/image.js'
import { resamplePillow } from '../../kernels/resample-pillow.js'
import type { RgbStats } from '../../model/vit-config.js'
import { colorPatches, fitPatchColors, patchColorValues } from '../../picture/patch-colors.js'
import type { ClassificationTransform } from '../classification-transform.js'
import { type NdArray, ndArray } from '../nd-array.js'
import type { BirderNet, RunSignal } from '../net.js'
import { type InterpretabilityResult, preprocessImage } from './interpretability-result.js'

/** Says of what colours are made. */
export interface FeaturePCAOptions {
  /** Divides each patch by its length (and 1e-6) first; default `false`. */
  readonly normalize?: boolean
  /** Takes this of the maps that `detectionFeatures` gives; default: the last. */
  readonly stage?: string
}

const OPTIONS = { normalize: true, stage: true } satisfies OptionNames<FeaturePCAOptions>
const SIGNAL = { signal: true } satisfies OptionNames<RunSignal>
const COLOURS = 3

/** Makes pictures of a network's patches before the final norm. Nothing is masked, and each image has colours of its own. */
export class FeaturePCA {
  readonly #net: BirderNet
  readonly #transform: ClassificationTransform
  readonly #rgbStats: RgbStats
  readonly #options: FeaturePCAOptions

  /** Throws RangeError for an unknown option. */
  constructor(
    net: BirderNet,
    transform: ClassificationTransform,
    rgbStats: RgbStats,
    options: FeaturePCAOptions = {},
  ) {
    checkOptionNames(options, OPTIONS)
    this.#net = net
    this.#transform = transform
    this.#rgbStats = rgbStats
    this.#options = options
  }

  /**
   * Gives `rawOutput` [rows, columns, 3] from 0 to 1, red for the first component, and `visualization`, which is that resized to the input. Throws as
   * `BirderNet.forward`; RangeError for a stage that is not there, or fewer than three patches or channels.
   */
  async call(image: RgbImage, options: RunSignal = {}): Promise<InterpretabilityResult> {
    checkOptionNames(options, SIGNAL)
    const { normalize = false, stage } = this.#options
    const { input, originalImage } = preprocessImage(image, this.#transform, this.#rgbStats)
    const features = stageOf(await this.#net.detectionFeatures(input, options), stage)
    const [, channels = 0, rows = 0, columns = 0] = features.shape
    if (Math.min(channels, rows * columns) < COLOURS) {
      throw new RangeError(
        `Three components are of three patches and three channels at least: got ${rows * columns} patches of ${channels}.`,
      )
    }
    const map = { patches: patchRows(features, normalize), grid: { rows, columns } }
    const colors = await fitPatchColors([map], { method: 'birder', ...options })
    const [height = 0, width = 0] = originalImage.shape
    const levels = colorPatches(map, colors).data
    const data = resamplePillow(levels, [rows, columns], [height, width], { filter: 'bilinear' })
    return {
      originalImage,
      visualization: { height, width, data },
      rawOutput: ndArray(patchColorValues(map, colors), [rows, columns, COLOURS]),
      logits: null,
      predictedClass: null,
    }
  }
}

/** Takes one of the maps; throws RangeError for a stage that is not there. */
export function stageOf(maps: Readonly<Record<string, NdArray>>, stage?: string): NdArray {
  const names = Object.keys(maps)
  const map = maps[stage ?? names.at(-1) ?? '']
  if (map !== undefined) return map
  throw new RangeError(`There is no stage ${stage}: this network gives ${names.join(', ')}.`)
}

/** Turns a map [1, D, rows, columns] into rows [rows * columns, D]. */
export function patchRows({ data, shape }: NdArray, normalize: boolean): Float32Array {
  const [, width = 0, height = 0, across = 0] = shape
  const cells = height * across
  const rows = Float32Array.from(
    data,
    (_, at) => data[(at % width) * cells + Math.floor(at / width)] ?? Number.NaN,
  )
  if (!normalize) return rows
  for (let cell = 0; cell < cells; cell++) {
    const row = rows.subarray(cell * width, (cell + 1) * width)
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) + 1e-6
    row.set(row.map((value) => value / length))
  }
  return rows
}
