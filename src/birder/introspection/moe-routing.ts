/** Shows which experts patches go to: Birder's MoERouting (introspection/moe_routing.py). */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import type { RgbImage } from '../../image/image.js'
import { softmaxRows } from '../../kernels/softmax.js'
import type { PatchGrid } from '../../model/positions.js'
import type { RgbStats } from '../../model/vit-config.js'
import type { ClassificationTransform } from '../classification-transform.js'
import { type NdArray, ndArray } from '../nd-array.js'
import type { RoutedLayer } from '../inside-network.js'
import type { BirderNet, RunSignal } from '../net.js'
import { preprocessImage } from './interpretability-result.js'

/** Holds the routing of one layer, of patches alone; all arrays are [B, rows, columns, E]. */
export interface MoELayerRouting {
  /** Names the class of Birder's router. */
  readonly routerType: 'SigmoidTopKRouter' | 'NoisyTopKRouter' | 'ExpertChoiceRouter'
  /** Holds the affinity of each patch to each expert: sigmoids of `SigmoidTopKRouter`, softmax over the experts of the others. */
  readonly scores: NdArray
  /** Has 1 where patch and expert chose each other, and 0 elsewhere; before any expert's room ended. */
  readonly selected: NdArray
  /** Has 1 where the patch went to the expert, and 0 elsewhere. */
  readonly assignments: NdArray
  /** Holds the weights of the experts' answers, with 0 where a patch did not go. */
  readonly weights: NdArray
}

/** Holds what one pass has routed. */
export interface MoERoutingResult {
  /** [1, N] holds the scores of the classes, or the embedding without a classifier. */
  readonly logits: NdArray
  /** Leads from the number of each block that has experts to its routing. */
  readonly layers: ReadonlyMap<number, MoELayerRouting>
  /** Counts the patches, (rows, columns). */
  readonly patchGridShape: readonly [rows: number, columns: number]
  /** [H, W, 3], from 0 to 1: the image as the network got it. */
  readonly originalImage: NdArray
}

const SIGNAL = { signal: true } satisfies OptionNames<RunSignal>
const ROUTERS = {
  sigmoid: 'SigmoidTopKRouter',
  softmax: 'NoisyTopKRouter',
  byExperts: 'ExpertChoiceRouter',
} as const

/** Looks at the choices of a network of routed experts. */
export class MoERouting {
  readonly #net: BirderNet
  readonly #transform: ClassificationTransform
  readonly #rgbStats: RgbStats

  constructor(net: BirderNet, transform: ClassificationTransform, rgbStats: RgbStats) {
    this.#net = net
    this.#transform = transform
    this.#rgbStats = rgbStats
  }

  /** Gives scores, choices and weights of every patch. Throws as `BirderNet.forward`; `EngineError` `unsupported` for a network without routed experts. */
  async call(image: RgbImage, options: RunSignal = {}): Promise<MoERoutingResult> {
    checkOptionNames(options, SIGNAL)
    const { input, originalImage } = preprocessImage(image, this.#transform, this.#rgbStats)
    const { layers, logits, grid } = await this.#net.forwardWithRouting(input, options)
    return {
      logits,
      layers: new Map(layers.map((layer) => [layer.block, routingOf(layer, this.#net.numSpecialTokens, grid)])),
      patchGridShape: [grid.rows, grid.columns],
      originalImage,
    }
  }
}

function routingOf(
  { choice, scores, weights }: RoutedLayer,
  special: number,
  { rows, columns }: PatchGrid,
): MoELayerRouting {
  const experts = weights.length / (special + rows * columns)
  const affinities =
    choice.kind === 'sigmoid'
      ? scores.map((score) => 1 / (1 + Math.exp(-score)))
      : softmaxRows(scores, experts)
  const assigned = weights.map((weight) => (weight === 0 ? 0 : 1))
  // Where experts have room for some tokens only, a token's choices are more than where it went.
  const selected = choice.kind === 'softmax' ? largestOfRows(scores, experts, choice.choices) : assigned
  const ofPatches = (values: Float32Array) =>
    ndArray(values.subarray(special * experts), [1, rows, columns, experts])
  return {
    routerType: ROUTERS[choice.kind],
    scores: ofPatches(affinities),
    selected: ofPatches(selected),
    assignments: ofPatches(assigned),
    weights: ofPatches(weights),
  }
}

/** Marks the `count` largest of each row with 1; of equal ones the first. */
function largestOfRows(values: Float32Array, width: number, count: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let row = 0; row < values.length; row += width) {
    const own = values.subarray(row, row + width)
    const order = [...own.keys()].sort((a, b) => (own[b] ?? 0) - (own[a] ?? 0) || a - b)
    for (const at of order.slice(0, count)) out[row + at] = 1
  }
  return out
}
