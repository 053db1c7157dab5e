/**
 * Follows attention through all layers (Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers"): how much of each patch reaches class token and
 * registers, or all tokens of a network without. Defaults and numbers are those of Birder's AttentionRollout.
 */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { AttentionMap, StoppedFeatures } from '../encoder/types.js'
import { attentionRollout, fuseHeads } from '../numerics/attention-rollout.js'

/** Says how layers are read. */
export interface RollOutOptions {
  /** Makes one matrix of the heads', value by value; default `max`. It changes nothing where the encoder has joined the heads. */
  readonly headFusion?: 'mean' | 'max' | 'min'
  /** Leaves out this share of the weights from patch to patch, the smallest ones, from 0 to 1; default 0.9. */
  readonly discardRatio?: number
}

const OPTIONS = { headFusion: true, discardRatio: true } satisfies OptionNames<RollOutOptions>

/**
 * Gives a value for each patch, [rows * columns], of which the largest is 1.
 *
 * @param features were encoded with `attention: { layers, from: 'all' }`, all layers as a rule; a part of them must follow each other. `heads: 'max'` there takes less
 * memory than each head on its own, and gives the same
 * @throws RangeError for features without whole matrices of attention, for layers with a gap, or options that make no sense
 */
export function rollOut(
  { attention = [], grid }: Pick<StoppedFeatures, 'attention' | 'grid'>,
  options: RollOutOptions = {},
): Float32Array {
  checkOptionNames(options, OPTIONS)
  const { headFusion = 'max', discardRatio = 0.9 } = options
  const [first, ...others] = attention.toSorted((a, b) => a.layer - b.layer)
  if (first === undefined)
    throw new RangeError("These features have no attention: encode with attention: { layers, from: 'all' }.")
  const maps = [first, ...others]
  const gap = others.findIndex(({ layer }, at) => layer !== first.layer + at + 1)
  if (gap >= 0)
    throw new RangeError(
      `Attention flows from layer to layer, and layer ${first.layer + gap + 1} is not there: name it in attention.layers.`,
    )
  const patches = grid.rows * grid.columns
  const special = specialOf(first)
  const tokens = special + patches
  const layers = maps.map((map) => fuseHeads(wholeMatrices(map, tokens), tokens, headFusion))
  return attentionRollout(layers, { special, tokens, discardRatio })
}

/** Counts class token and registers. */
function specialOf({ rows }: AttentionMap): number {
  return rows.filter(({ kind }) => kind !== 'patch').length
}

/** Lays out attention as [M, T, T], tokens in the order class token, registers, patches. */
function wholeMatrices(
  { headCount, rows, toClass, toRegisters, toPatches }: AttentionMap,
  tokens: number,
): Float32Array {
  if (rows.length !== tokens)
    throw new RangeError(
      `A rollout needs the attention of all ${tokens} tokens, and has that of ${rows.length}: encode with attention: { layers, from: 'all' }.`,
    )
  const out = new Float32Array(headCount * tokens * tokens)
  const parts = [toClass, toRegisters, toPatches]
  for (let row = 0, to = 0; row < headCount * tokens; row++) {
    for (const part of parts) {
      const width = part.length / (headCount * tokens)
      out.set(part.subarray(row * width, (row + 1) * width), to)
      to += width
    }
  }
  return out
}
