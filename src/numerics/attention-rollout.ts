/**
 * Attention rollout says how much of each patch reaches the special tokens through all layers: attention is taken as flow, half of which stays where it is, and
 * the layers are multiplied (Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers"; that small weights between patches are left out, and
 * that heads are fused by their maximum, are Jacob Gildenblat's vit-explain). Numbers are those of Birder's `compute_rollout`.
 *
 * Only the special tokens' rows of the product are wanted. So it is made from the last layer back: a vector by a matrix for each layer, in place of a matrix by a
 * matrix.
 */

/** Names ways to make one matrix of the heads': value by value. */
export type HeadFusion = 'mean' | 'max' | 'min'

/** Says how layers are read. */
export interface RolloutOptions {
  /** Counts class token and registers, S, which lead the tokens in any order; with none, the mean over all tokens is followed. */
  readonly special: number
  /** Counts all tokens, T. */
  readonly tokens: number
  /** Fuses the heads; default `max`. */
  readonly headFusion?: HeadFusion
  /** Leaves out this share of the weights between patches, the smallest ones, in [0, 1]; default 0.9. */
  readonly discardRatio?: number
}

/**
 * Computes how much each patch matters, [T - S], of which the largest is 1 (within 1e-8).
 *
 * @param layers are attention weights [H, T, T], first layer first; H may be 1 where heads are fused already. They are left as they are.
 * @throws RangeError for no layers, layers of another size, or a share that is none
 */
export function attentionRollout(
  layers: readonly Float32Array[],
  { special, tokens, headFusion = 'max', discardRatio = 0.9 }: RolloutOptions,
): Float32Array {
  if (layers.length === 0) throw new RangeError('A rollout needs the attention of each layer: there is none.')
  if (!(discardRatio >= 0 && discardRatio <= 1))
    throw new RangeError(`A share to leave out is from 0 to 1: got ${discardRatio}.`)
  let flow = new Float64Array(tokens)
  const sources = special > 0 && special < tokens ? special : tokens
  flow.fill(1 / sources, 0, sources)
  for (let layer = layers.length - 1; layer >= 0; layer--) {
    const weights = fuseHeads(layers[layer], tokens, headFusion)
    leaveOut(weights, tokens, special, discardRatio)
    flow = flowBack(flow, weights, tokens)
  }
  const first = sources === tokens ? 0 : special
  let largest = Number.NEGATIVE_INFINITY
  for (let i = first; i < tokens; i++) if (flow[i] > largest) largest = flow[i]
  return Float32Array.from(flow.subarray(first), (value) => value / (largest + 1e-8))
}

/** Makes [T, T] of [H, T, T], value by value. Throws RangeError for numbers that are no such heads. */
export function fuseHeads(heads: Float32Array, tokens: number, fusion: HeadFusion): Float32Array {
  const size = tokens * tokens
  const count = heads.length / size
  if (!Number.isInteger(count) || count === 0)
    throw new RangeError(`${heads.length} numbers are no heads of ${tokens} x ${tokens} tokens.`)
  const out = heads.slice(0, size)
  for (let head = 1; head < count; head++) {
    const from = head * size
    for (let i = 0; i < size; i++) {
      const value = heads[from + i]
      if (fusion === 'mean') out[i] += value
      else if (fusion === 'max' ? value > out[i] : value < out[i]) out[i] = value
    }
  }
  if (fusion === 'mean') for (let i = 0; i < size; i++) out[i] /= count
  return out
}

/** Sets the smallest weights from patch to patch to 0; those from and to special tokens stay. Of equal ones at the bound the first are left out. */
function leaveOut(weights: Float32Array, tokens: number, special: number, share: number): void {
  const patches = tokens - special
  const count = Math.trunc(patches * patches * share)
  if (count === 0) return
  const values = new Float32Array(patches * patches)
  for (let row = 0; row < patches; row++) {
    const from = (special + row) * tokens + special
    values.set(weights.subarray(from, from + patches), row * patches)
  }
  const { bound, below } = smallest(values, count)
  let atBound = count - below
  for (let row = special; row < tokens; row++) {
    for (let i = row * tokens + special; i < (row + 1) * tokens; i++) {
      if (weights[i] < bound || (weights[i] === bound && atBound-- > 0)) weights[i] = 0
    }
  }
}

/** Finds the `count`-th smallest value, and how many are below it. Weights are not negative, so that their bits have the order of their values: two counts of half the bits find it. */
function smallest(values: Float32Array, count: number): { readonly bound: number; readonly below: number } {
  const bits = new Uint32Array(values.buffer)
  const high = new Uint32Array(1 << 16)
  for (let i = 0; i < bits.length; i++) high[bits[i] >>> 16]++
  const upper = bucketOf(high, count)
  const low = new Uint32Array(1 << 16)
  for (let i = 0; i < bits.length; i++) if (bits[i] >>> 16 === upper.bucket) low[bits[i] & 0xffff]++
  const lower = bucketOf(low, count - upper.before)
  const found = Uint32Array.of(((upper.bucket << 16) | lower.bucket) >>> 0)
  return { bound: new Float32Array(found.buffer)[0], below: upper.before + lower.before }
}

/** Finds in which bucket the `count`-th lies, and how many are in the buckets before it. */
function bucketOf(buckets: Uint32Array, count: number): { readonly bucket: number; readonly before: number } {
  let before = 0
  let bucket = 0
  while (before + buckets[bucket] < count) before += buckets[bucket++]
  return { bucket, before }
}

/** Multiplies the row [T] by (weights + 1) / 2 whose rows are scaled to a sum of 1. */
function flowBack(flow: Float64Array, weights: Float32Array, tokens: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(tokens)
  for (let row = 0; row < tokens; row++) {
    let sum = 1
    for (let i = row * tokens; i < (row + 1) * tokens; i++) sum += weights[i]
    const part = flow[row] / sum
    if (part === 0) continue
    for (let column = 0, i = row * tokens; column < tokens; column++, i++) out[column] += part * weights[i]
    out[row] += part
  }
  return out
}
