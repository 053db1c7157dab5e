/**
 * Folds a batch norm into the linear layer or convolution before it. At inference a batch norm is a scale and a shift of each output
 * channel, so that the two together are one layer with other numbers:
 *
 *     weight'[c, k] = weight[c, k] * gain[c] / sqrt(variance[c] + epsilon)
 *     bias'[c] = (bias[c] - mean[c]) * gain[c] / sqrt(variance[c] + epsilon) + shift[c]
 */
export interface BatchNorm {
  readonly gain: Float32Array // [C]
  readonly shift: Float32Array // [C]
  readonly mean: Float32Array // [C]
  readonly variance: Float32Array // [C]
  readonly epsilon: number
}

export function foldIntoWeight(weight: Float32Array, { gain, variance, epsilon }: BatchNorm): Float32Array {
  const perChannel = weight.length / gain.length
  return weight.map((value, i) => {
    const c = Math.floor(i / perChannel)
    return (value * gain[c]) / Math.sqrt(variance[c] + epsilon)
  })
}

export function foldIntoBias(bias: Float32Array, norm: BatchNorm): Float32Array {
  const { gain, shift, mean, variance, epsilon } = norm
  return bias.map((value, c) => ((value - mean[c]) * gain[c]) / Math.sqrt(variance[c] + epsilon) + shift[c])
}
