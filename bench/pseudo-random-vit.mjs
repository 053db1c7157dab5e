/** A vision transformer with pseudo-random weights, for profiles: no file is needed. */

/**
 * @param {{ width: number, heads: number, depth: number, patch: number, rows: number }} sizes `rows` of patches, as many as columns
 * @returns what `planVit` takes, and the source of the weights
 */
export function pseudoRandomVit({ width, heads, depth, patch, rows }) {
  const config = {
    channels: 3,
    width,
    heads,
    depth,
    hidden: 4 * width,
    patchSize: patch,
    classToken: true,
    registers: 4,
    preNorm: false,
    norm: 'layerNorm',
    epsilon: 1e-6,
    finalNorm: 'tokens',
    layerScale: true,
    qkvBias: true,
    queryKeyNorm: false,
    attentionNorm: false,
    mlp: 'ffn',
    activation: 'gelu',
    experts: null,
    stem: { kind: 'patchify', bias: true },
    pooling: { kind: 'class' },
    classifier: null,
  }
  const random = new Float32Array(Math.max(4 * width, rows * rows) * width)
  for (let i = 0, state = 1; i < random.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    random[i] = state / 2 ** 31
  }
  const weights = {
    read: async (_name, shape) => {
      const count = shape.reduce((product, n) => product * n, 1)
      const scale = shape.length === 2 && shape[0] > 1 ? 1.7 / Math.sqrt(shape[1]) : 1
      return random.subarray(0, count).map((value) => value * scale)
    },
  }
  return { config, weights, positions: random.slice(0, rows * rows * width), random }
}

/** Multiplications and additions of one image, twice a multiplication. */
export function flopOf({ width, depth, patch, rows }) {
  const tokens = 5 + rows * rows
  return (
    2 *
    (rows * rows * 3 * patch * patch * width + depth * (12 * tokens * width ** 2 + 2 * tokens ** 2 * width))
  )
}
