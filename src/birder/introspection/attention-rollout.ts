/** Shows which patches reach the special tokens through all layers: Birder's AttentionRollout (introspection/attention_rollout.py). */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import type { RgbImage } from '../../image/image.js'
import { resamplePillowFloats } from '../../kernels/resample-pillow-floats.js'
import type { RgbStats } from '../../model/vit-config.js'
import { attentionRollout, type HeadFusion } from '../../numerics/attention-rollout.js'
import type { ClassificationTransform } from '../classification-transform.js'
import { ndArray } from '../nd-array.js'
import type { BirderNet, RunSignal } from '../net.js'
import { type InterpretabilityResult, predictClass, preprocessImage } from './interpretability-result.js'
import { showMaskOnImage } from './show-mask-on-image.js'

/** Says how layers are read. */
export interface AttentionRolloutOptions {
  /** Sets this share of the weights from patch to patch to 0, the smallest ones, in [0, 1]; default 0.9. */
  readonly discardRatio?: number
  /** Makes one matrix of the heads', value by value; default `max`. */
  readonly headFusion?: HeadFusion
}

const OPTIONS = { discardRatio: true, headFusion: true } satisfies OptionNames<AttentionRolloutOptions>
const SIGNAL = { signal: true } satisfies OptionNames<RunSignal>
const IMAGE_WEIGHT = 0.4

/** Makes pictures of the flow of attention through a network. */
export class AttentionRollout {
  readonly #net: BirderNet
  readonly #transform: ClassificationTransform
  readonly #rgbStats: RgbStats
  readonly #discardRatio: number
  readonly #headFusion: HeadFusion

  /** Throws RangeError for a share outside [0, 1], another fusion or an unknown option. */
  constructor(
    net: BirderNet,
    transform: ClassificationTransform,
    rgbStats: RgbStats,
    options: AttentionRolloutOptions = {},
  ) {
    checkOptionNames(options, OPTIONS)
    const { discardRatio = 0.9, headFusion = 'max' } = options
    if (!(discardRatio >= 0 && discardRatio <= 1))
      throw new RangeError(`discardRatio must be in [0, 1], got ${discardRatio}.`)
    if (!['mean', 'max', 'min'].includes(headFusion))
      throw new RangeError(`headFusion is mean, max or min: got ${headFusion}.`)
    this.#net = net
    this.#transform = transform
    this.#rgbStats = rgbStats
    this.#discardRatio = discardRatio
    this.#headFusion = headFusion
  }

  /**
   * Gives `rawOutput` [H, W], the rollout resized to the input, whose largest place is about 1, and `visualization`, which lays it over the image. It takes
   * memory for a [T, T] matrix for each layer. Throws as `BirderNet.forward`; `EngineError` `unsupported` for a network whose tokens do not all attend to each
   * other.
   */
  async call(image: RgbImage, options: RunSignal = {}): Promise<InterpretabilityResult> {
    checkOptionNames(options, SIGNAL)
    const { input, originalImage } = preprocessImage(image, this.#transform, this.#rgbStats)
    const { attentions, logits, grid } = await this.#net.forwardWithAttention(input, {
      headFusion: this.#headFusion,
      ...options,
    })
    const special = this.#net.numSpecialTokens
    const { rows, columns } = grid
    const mask = attentionRollout(
      attentions.map(({ data }) => data),
      { special, tokens: special + rows * columns, discardRatio: this.#discardRatio },
    )
    const [height = 0, width = 0] = originalImage.shape
    const rawOutput = ndArray(resamplePillowFloats(mask, [rows, columns], [height, width]), [height, width])
    return {
      originalImage,
      visualization: showMaskOnImage(originalImage, rawOutput, IMAGE_WEIGHT),
      rawOutput,
      logits,
      predictedClass: predictClass(logits),
    }
  }
}
